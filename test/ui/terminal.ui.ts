import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { addressOf, rowOf, TestBrowser } from '../support/browser.ts';
import { startUi } from '../support/ui.ts';
import { World, waitFor } from '../support/world.ts';

/** The text of a page's terminal, its lines without what pads them. */
async function screenOf(page: Page): Promise<string> {
  const rows = await page.locator('.xterm-rows > div').allTextContents();
  return rows.map((row) => row.replaceAll('\u00a0', ' ').trimEnd()).join('\n');
}

const shows = async (page: Page, text: string | RegExp): Promise<void> =>
  await waitFor(async () => {
    const screen = await screenOf(page);
    return typeof text === 'string' ? screen.includes(text) : text.test(screen);
  }, `the terminal to show ${text}`);

/** Pastes a text where the keyboard is. */
async function paste(page: Page, text: string): Promise<void> {
  await page.evaluate(`(() => {
    const clipboardData = new DataTransfer();
    clipboardData.setData('text/plain', ${JSON.stringify(text)});
    document.activeElement.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
  })()`);
}

test('several pages can type into a terminal at once, and it has the size of the page', async () => {
  await using world = new World();
  const session = await world.session();
  const env = { ...process.env, PS1: '$ ', ENV: '' } as Record<string, string>;
  const task = await session.spawn(['sh', '-i'], { name: 'shell', tty: { cols: 80, rows: 24 }, env });
  await session.close();
  await using server = await startUi(world);
  await using browser = await TestBrowser.start();
  const open = async (): Promise<Page> => {
    const page = await browser.page(addressOf(server));
    await rowOf(page, 'shell').click();
    await page.locator('.xterm-rows').waitFor();
    return page;
  };
  const [one, other, viewer] = [await open(), await open(), await open()];
  await shows(one, /^\$$/m);
  // Who only looks types nothing.
  await viewer.locator('.xterm').click();
  await viewer.keyboard.type('echo from the viewer\n');
  await one.getByRole('button', { name: 'Type into it' }).click();
  await one.keyboard.type('echo one $((6 * 7))\n');
  for (const page of [one, other, viewer]) await shows(page, /^one 42$/m);
  await other.getByRole('button', { name: 'Type into it' }).click();
  await paste(other, 'echo other é 漢');
  await other.keyboard.press('Enter');
  for (const page of [one, other, viewer]) await shows(page, /^other é 漢$/m);
  assert.equal((await screenOf(one)).includes('viewer'), false);
  // Keys that are the program's: an interrupt, a line that is taken back and Tab.
  await one.keyboard.type('sleep 1000\n');
  await shows(viewer, 'sleep 1000');
  await one.keyboard.press('Control+c');
  await one.keyboard.type('cho corrected');
  await one.keyboard.press('Control+a');
  await one.keyboard.press('Control+u');
  await one.keyboard.type("stty size | sed 's/^/size /'\n");
  await shows(viewer, /^size \d+ \d+$/m);
  // The size follows the window of who types.
  await one.setViewportSize({ width: 800, height: 600 });
  const store = await world.store();
  await waitFor(async () => (await store.task(task.id).screen()).cols < 110, 'fewer columns');
  const { cols, rows } = await store.task(task.id).screen();
  await one.keyboard.type("clear; stty size | sed 's/^/now /'\n");
  await shows(viewer, new RegExp(`^now ${rows} ${cols}$`, 'm'));
  // The keyboard gets out of it.
  await one.keyboard.press('Control+Shift+Escape');
  await waitFor(
    async () => await one.evaluate('document.activeElement.id === "tab-Terminal"'),
    'the focus to leave',
  );
  await other.keyboard.type('exit\n');
  for (const page of [one, other, viewer])
    await page.getByText('This is what its terminal showed last.').waitFor();
  await viewer.locator('.screen', { hasText: `now ${rows} ${cols}` }).waitFor();
  assert.deepEqual(browser.faults, []);
});

test('in a read-only dashboard a terminal shows and takes nothing, whatever is pressed', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('echo here; cat', { name: 'shell', tty: { cols: 80, rows: 24 } });
  await using server = await startUi(world, { readOnly: true });
  await using browser = await TestBrowser.start();
  const page = await browser.page(addressOf(server));
  await rowOf(page, 'shell').click();
  await shows(page, 'here');
  await page.locator('.xterm').click();
  await page.keyboard.type('typed\n');
  await page.setViewportSize({ width: 700, height: 500 });
  const store = await world.store();
  const before = await store.task(task.id).screen();
  // What was typed would be there before this.
  await task.send('marker\n');
  await shows(page, 'marker');
  assert.equal((await screenOf(page)).includes('typed'), false);
  assert.deepEqual([before.cols, before.rows], [80, 24]);
  await task.kill({ graceMs: 0 });
  assert.deepEqual(browser.faults, []);
});
