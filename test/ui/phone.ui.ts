import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { addressOf, axeFaults, listOf, rowOf, TestBrowser } from '../support/browser.ts';
import { startUi } from '../support/ui.ts';
import { World, waitFor } from '../support/world.ts';

const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 };

/** What a finger is to hit: in pixels, each way. */
const targetPixels = 44;

/**
 * What is wrong for a finger on a screen: what can be pressed and is too small, and what is wider than the screen. A box that lies in a label
 * is hit by the label, and a row by its whole height.
 */
async function faultsFor(page: Page, screen: string): Promise<string[]> {
  const found = (await page.evaluate(`(() => {
    const faults = [];
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth > clientWidth) faults.push('it scrolls sideways: ' + scrollWidth + ' of ' + clientWidth);
    for (const element of document.querySelectorAll('button, a[href], input, select, summary, [role=tab]')) {
      if (element.closest('.terminal') !== null) continue;
      const target = element.closest('label, .pick, .rows .row') ?? element;
      const { width, height } = target.getBoundingClientRect();
      const isSmall = height < ${targetPixels} - 0.5 || width < ${targetPixels} - 0.5;
      const name = element.textContent || element.getAttribute('aria-label') || element.type;
      if (width > 0 && height > 0 && isSmall) faults.push(element.tagName + ' ' + name + ': ' + width + ' x ' + height);
    }
    return faults;
  })()`)) as string[];
  return found.map((fault) => `${screen}: ${fault}`);
}

test('on a phone everything works by touch, with targets of 44 pixels, without scrolling sideways', async () => {
  await using world = new World();
  const session = await world.session('a session with a long name that has no room on a phone');
  const long = `${'a-name-without-a-blank-'.repeat(6)}end`;
  await (await session.spawn(`seq 1 40000; echo ${'wide'.repeat(100)}`, { name: long })).wait({ ack: false });
  for (let number = 0; number < 40; number += 1) await session.spawn('exit 3', { name: `small ${number}` });
  const task = await session.spawn('cat', { name: 'shell', tty: { cols: 80, rows: 24 } });
  await waitFor(() => task.snapshot().status === 'running', 'the shell');
  await using server = await startUi(world);
  await using browser = await TestBrowser.start();
  const faults: string[] = [];
  const page = await browser.page(server.url, phone);
  const look = async (screen: string): Promise<void> => {
    faults.push(
      ...(await faultsFor(page, screen)),
      ...(await axeFaults(page)).map((fault) => `${screen}: ${fault}`),
    );
  };
  await page.getByLabel('Token or address').waitFor();
  await look('the entry');
  await page.getByLabel('Token or address').fill(addressOf(server));
  await page.getByRole('button', { name: 'Open' }).tap();
  await listOf(page);
  await rowOf(page, 'shell').waitFor();
  await look('the list');
  await page.getByRole('button', { name: 'Keys and words' }).tap();
  await look('help');
  await page.getByRole('button', { name: 'Close' }).tap();
  // A finger scrolls the list.
  const list = page.getByRole('grid');
  const { x = 0, y = 0, height = 0 } = (await list.boundingBox()) ?? {};
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Input.synthesizeScrollGesture', {
    x: x + 150,
    y: y + height - 20,
    yDistance: -4000,
    speed: 8000,
  });
  await rowOf(page, long.slice(0, 40)).waitFor();
  await rowOf(page, long.slice(0, 40)).getByRole('checkbox').tap();
  await page.getByText('1 selected').waitFor();
  await look('the list with a selection');
  await page.getByRole('button', { name: 'Restart' }).tap();
  await look('the question');
  await page.getByRole('button', { name: 'Cancel' }).tap();
  await rowOf(page, long.slice(0, 40)).locator('.task').tap();
  await page.locator('.log', { hasText: 'widewide' }).waitFor();
  for (const tab of await page.getByRole('tab').all()) {
    await tab.tap();
    await look(`a task, ${await tab.textContent()}`);
  }
  await page.getByRole('link', { name: 'All tasks' }).tap();
  await page.getByRole('button', { name: /running$/ }).tap();
  await rowOf(page, 'shell').locator('.task').tap();
  await page.locator('.xterm-rows').waitFor();
  await look('the terminal');
  // On its side there is little height: the list has to have room.
  await page.setViewportSize({ width: 844, height: 390 });
  await look('the terminal, on its side');
  await page.getByRole('link', { name: 'All tasks' }).tap();
  await listOf(page);
  await look('the list, on its side');
  assert.deepEqual([...new Set(faults)], []);
  assert.deepEqual(browser.faults, []);
  await task.kill({ graceMs: 0 });
});
