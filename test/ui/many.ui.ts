import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listOf, rowOf, TestBrowser } from '../support/browser.ts';
import { UiProcess } from '../support/ui-process.ts';
import { World, waitFor } from '../support/world.ts';

/** Thousands of lines a second. */
const floods = 'i=0; while :; do seq $i $((i+499)); i=$((i+500)); sleep 0.1; done';

test('twelve tabs that each follow a log, three of them a flood: every request has an answer, and clicks work', async () => {
  await using world = new World();
  const session = await world.session();
  const flood = await session.spawn(floods, {
    name: 'flood',
    keepOutputBytes: 8 * 1024 * 1024,
    maxOutputBytes: null,
  });
  const steady = await session.spawn('i=100; while sleep 0.2; do echo $((i += 1)); done', { name: 'steady' });
  await (await session.spawn('echo all is well', { name: 'quiet' })).wait();
  await using server = await UiProcess.start(world);
  await using browser = await TestBrowser.start();
  const first = await browser.page(server.address);
  await listOf(first);
  const others = Array.from({ length: 11 }, () => browser.another(first.context(), server.url));
  const pages = [first, ...(await Promise.all(others))];
  for (const [index, page] of pages.entries()) {
    await rowOf(page, index < 3 ? 'flood' : 'steady').click();
    await page.locator('.log', { hasText: /\d{3}/ }).waitFor();
  }
  const asked = pages.map((page) => page.evaluate(`fetch('/icon.svg').then(({ status }) => status)`));
  assert.deepEqual(await Promise.all(asked), Array(12).fill(200));
  for (const page of [...pages.slice(0, 3), ...pages.slice(-1)]) {
    await page.getByRole('link', { name: 'All tasks' }).click();
    await rowOf(page, 'quiet').click();
    await page.locator('.log', { hasText: 'all is well' }).waitFor();
    await page.getByRole('tab', { name: 'Facts' }).click();
    await page.getByText('How we know').waitFor();
    await page.getByRole('link', { name: 'All tasks' }).click();
  }
  // One of them stops it, and each sees that.
  await rowOf(first, 'flood').click();
  await first.getByRole('button', { name: 'Stop' }).click();
  await first.getByRole('dialog').getByRole('button', { name: 'Stop' }).click();
  for (const page of [...pages.slice(1, 3), ...pages.slice(-1)])
    await rowOf(page, 'flood').getByText('killed').waitFor();
  await flood.wait();
  await steady.kill({ graceMs: 0 });
  assert.deepEqual(browser.faults, []);
});

test('a flood for a frozen page costs the server no memory, and the page goes on at the end', async () => {
  await using world = new World();
  const session = await world.session();
  const flood = await session.spawn('yes "a line of a flood that nobody reads"', {
    name: 'flood',
    keepOutputBytes: 16 * 1024 * 1024,
    maxOutputBytes: null,
  });
  await using server = await UiProcess.start(world);
  await using browser = await TestBrowser.start();
  const page = await browser.page(server.address);
  await rowOf(page, 'flood').click();
  await page.locator('.log', { hasText: 'a flood that nobody reads' }).waitFor();
  const debuggerOf = await page.context().newCDPSession(page);
  const stood = new Promise((resolve) => debuggerOf.once('Debugger.paused', resolve));
  await debuggerOf.send('Debugger.enable');
  await debuggerOf.send('Debugger.pause');
  await stood;
  const written = async (): Promise<number> => (await flood.read({ maxBytes: 1 })).size;
  const [before, begin] = [server.memory, await written()];
  await waitFor(async () => (await written()) > begin + 300_000_000, '300 MB more', 120_000);
  const grown = server.memory - before;
  assert.ok(grown < 60_000_000, `the server has grown by ${grown} bytes`);
  await debuggerOf.send('Debugger.resume');
  await debuggerOf.send('Debugger.disable');
  await page.getByRole('button', { name: 'Stop' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Stop' }).click();
  await page.locator('header .status.killed').waitFor();
  assert.equal((await flood.wait({ ack: false })).status, 'killed');
  assert.deepEqual(browser.faults, []);
});
