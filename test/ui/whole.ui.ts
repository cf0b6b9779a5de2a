import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressOf, rowOf, TestBrowser, weightOf } from '../support/browser.ts';
import { startUi } from '../support/ui.ts';
import { World, waitFor } from '../support/world.ts';

test('with 1,000 tasks in 50 sessions only rows near the screen exist; filter and keyboard reach each task', async () => {
  await using world = new World();
  const store = await world.store();
  for (let number = 0; number < 50; number += 1) {
    const session = await store.session(`session ${number}`, { maxRunning: 100 });
    const tasks = Array.from({ length: 20 }, (_, index) =>
      session.spawn(index % 7 === 0 ? 'exit 3' : 'true', { name: `task-${number}-${index}` }),
    );
    for (const task of await Promise.all(tasks)) await task.wait({ ack: number % 2 === 0 });
    await session.close();
  }
  await using server = await startUi(world);
  await using browser = await TestBrowser.start();
  const page = await browser.page(addressOf(server));
  await page.getByRole('button', { name: '1000 all' }).waitFor();
  assert.ok((await page.locator('.rows .row').count()) < 60);
  assert.equal(await page.getByRole('grid').getAttribute('aria-rowcount'), '1001');
  await page.keyboard.press('/');
  await page.keyboard.type('task-17-3');
  await page.getByRole('button', { name: /^1000 all/ }).waitFor();
  await waitFor(async () => (await page.locator('.rows .row').count()) === 1, 'the filter');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'task-17-3' }).waitFor();
  await page.keyboard.press('Escape');
  await page.keyboard.press('/');
  await page.keyboard.press('Escape');
  await page.keyboard.press('End');
  await rowOf(page, 'task-0-').first().waitFor();
  await page.keyboard.press('k');
  await page.keyboard.press(' ');
  await page.getByText('1 selected').waitFor();
  await page.getByRole('button', { name: /failed$/ }).click();
  await page.getByLabel('Filter').fill('status:failed session:"session 49"');
  await waitFor(
    async () => (await page.getByRole('grid').getAttribute('aria-rowcount')) === '4',
    'both words',
  );
  // A click on a bar of the timeline opens its task.
  await page.locator('.bar').first().click();
  await page.getByRole('heading', { name: /^task-49-/ }).waitFor();
  // Many at once: those that are pending are acknowledged, and then removed.
  await page.getByRole('link', { name: 'All tasks' }).click();
  await page.getByLabel('Filter').fill('is:pending');
  await page
    .getByLabel(/^Select all|selected$/)
    .first()
    .check();
  await page.getByRole('button', { name: 'Acknowledge' }).click();
  await waitFor(
    async () => (await page.getByRole('grid').getAttribute('aria-rowcount')) === '1',
    'all of them',
  );
  assert.deepEqual(browser.faults, []);
});

test('for 300 MB of output the end shows at once, each part can be reached, and a search covers all', async () => {
  await using world = new World();
  const session = await world.session();
  const lines = 4_500_000;
  const task = await session.spawn(
    `awk 'BEGIN { for (i = 0; i < ${lines}; i++) { print "this is line number " i " of a log that is long enough, with words in it"; if (i == 2000000) print "the needle" } }'`,
    { name: 'large', keepOutputBytes: null },
  );
  await task.wait();
  assert.ok((await task.read({ maxBytes: 1 })).size > 300_000_000);
  await using server = await startUi(world);
  await using browser = await TestBrowser.start();
  const page = await browser.page(`${server.url}#token=${server.token}`);
  await rowOf(page, 'large').click();
  const log = page.locator('.log');
  await log.filter({ hasText: `line number ${lines - 1} ` }).waitFor();
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await log.filter({ hasText: 'line number 0 ' }).waitFor();
  await page.getByLabel('Search in the whole output').fill('the needle');
  await page.keyboard.press('Enter');
  await page.getByText('1 of 1 lines').waitFor();
  await log.filter({ hasText: 'the needle' }).waitFor();
  await log.filter({ hasText: 'line number 2000001 ' }).waitFor();
  assert.equal(await page.evaluate('CSS.highlights.get("hit")?.size'), 1);
  // Older lines come by scrolling, and what is far away is let go.
  for (let turn = 0; turn < 30; turn += 1) {
    await log.evaluate('(element) => { element.scrollTop = 0; }' as never);
    await page.waitForTimeout(30);
  }
  const { text, heap } = await weightOf(page);
  assert.ok(text < 3_000_000, `${text} characters`);
  assert.ok(heap < 60_000_000, `${heap} bytes`);
  assert.deepEqual(browser.faults, []);
});

test('a read-only dashboard shows everything and has no way to act', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('echo here; cat', { name: 'shell', tty: { cols: 80, rows: 24 } });
  await waitFor(async () => (await task.read()).text.includes('here'), 'its start');
  await using server = await startUi(world, { readOnly: true });
  await using browser = await TestBrowser.start();
  const page = await browser.page(addressOf(server));
  await page.getByText('live, read-only').waitFor();
  await page.getByLabel(/^Select all/).check();
  await page.locator('.list').focus();
  for (const key of ['x', 'a', 'r']) await page.keyboard.press(key);
  assert.equal(await page.getByRole('dialog').count(), 0);
  for (const name of ['Stop', 'Restart', 'Prune', 'Acknowledge'])
    assert.equal(await page.getByRole('button', { name, exact: true }).count(), 0, name);
  await rowOf(page, 'shell').click();
  await page.locator('.xterm-rows', { hasText: 'here' }).waitFor();
  assert.equal(await page.getByRole('button', { name: 'Type into it' }).count(), 0);
  await task.kill({ graceMs: 0 });
});
