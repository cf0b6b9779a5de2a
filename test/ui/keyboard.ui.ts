import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { addressOf, listOf, rowOf, TestBrowser } from '../support/browser.ts';
import { startUi } from '../support/ui.ts';
import { World, waitFor } from '../support/world.ts';

/** What has the focus: its name as a reader hears it. */
async function focusOf(page: Page): Promise<string> {
  const focus = await page.evaluate(`(() => {
    const { activeElement: element } = document;
    if (element === null || element === document.body) return '';
    const label = element.getAttribute('aria-label') ?? element.closest('label')?.textContent;
    return (label ?? element.textContent ?? '').trim();
  })()`);
  return String(focus);
}

/** Presses Tab until something has the focus. */
async function tabTo(page: Page, name: string | RegExp, key = 'Tab'): Promise<void> {
  const seen: string[] = [];
  for (let turn = 0; turn < 60; turn += 1) {
    await page.keyboard.press(key);
    const focus = await focusOf(page);
    if (typeof name === 'string' ? focus === name : name.test(focus)) {
      const isSeen = await page.evaluate(`document.activeElement.matches(':focus-visible')`);
      assert.equal(isSeen, true, `${focus} shows that it has the focus`);
      return;
    }
    seen.push(focus);
  }
  assert.fail(`expected Tab to reach ${name}; found ${seen.join(', ')}`);
}

test('with the keyboard alone: enter, filter, select, stop many, open one, search, and come back', async () => {
  await using world = new World();
  const session = await world.session('work');
  await (await session.spawn('seq 1 3000; exit 3', { name: 'failed-one' })).wait({ ack: false });
  for (const name of ['first', 'second', 'third']) await session.spawn('sleep 1000', { name });
  await using server = await startUi(world);
  await using browser = await TestBrowser.start();
  const page = await browser.page(server.url);
  await page.getByLabel('Token or address').waitFor();
  await tabTo(page, /^Token or address/);
  await page.keyboard.insertText(addressOf(server));
  await page.keyboard.press('Enter');
  await listOf(page);
  await rowOf(page, 'third').waitFor();
  // Everything on the screen is in the order of Tab.
  for (const name of [/^4 all$/, /running$/, 'Filter', 'Keys and words', /^Select all/, 'Tasks'])
    await tabTo(page, name);
  await tabTo(page, /^Select all/, 'Shift+Tab');
  await page.keyboard.press('?');
  await page.getByRole('dialog').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  // Two of the three are stopped together; the question takes the keyboard, and Esc leaves all as it is.
  await page.keyboard.press('/');
  await page.keyboard.type('is:live');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Home');
  await page.keyboard.press(' ');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press(' ');
  await page.getByText('2 selected').waitFor();
  await page.keyboard.press('x');
  await page.getByRole('dialog').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  assert.equal(await focusOf(page), 'Tasks', 'the list has the keyboard again');
  await page.keyboard.press('x');
  await page.getByRole('dialog').waitFor();
  await page.keyboard.press('Enter');
  await waitFor(
    async () => (await page.getByRole('grid').getAttribute('aria-rowcount')) === '2',
    'both to be stopped',
  );
  const states = (await session.tasks()).map(({ name, status }) => `${name} ${status}`);
  assert.deepEqual(states.sort(), ['failed-one failed', 'first running', 'second killed', 'third killed']);
  // One task: its tabs by arrows, a search, the hits, and back to the list at the same task.
  await page.keyboard.press('/');
  await page.keyboard.press('Escape');
  await page.keyboard.press('End');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'failed-one' }).waitFor();
  await tabTo(page, 'Output');
  await page.keyboard.press('ArrowRight');
  await page.getByText('How we know').waitFor();
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('/');
  await page.keyboard.type('99');
  await page.keyboard.press('Enter');
  await page.getByText(/^1 of \d+ lines$/).waitFor();
  await page.keyboard.press('Escape');
  await page.keyboard.press('n');
  await page.getByText(/^2 of \d+ lines$/).waitFor();
  await page.keyboard.press('N');
  await page.getByText(/^1 of \d+ lines$/).waitFor();
  await page.keyboard.press('f');
  await page.getByRole('button', { name: 'Following' }).waitFor();
  await page.keyboard.press('Escape');
  await listOf(page);
  await waitFor(async () => (await focusOf(page)) === 'Tasks', 'the list to have the keyboard');
  const active = await page.getByRole('grid').getAttribute('aria-activedescendant');
  assert.equal(active, `row-${(await session.tasks()).find(({ name }) => name === 'failed-one')?.taskId}`);
  await page.keyboard.press('a');
  await waitFor(
    async () => (await session.tasks()).every(({ name, delivered }) => name !== 'failed-one' || delivered),
    'its acknowledgement',
  );
  assert.deepEqual(browser.faults, []);
});
