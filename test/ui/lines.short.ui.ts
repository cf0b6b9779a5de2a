import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rowOf, TestBrowser, weightOf } from '../support/browser.ts';
import { UiProcess } from '../support/ui-process.ts';
import { quote, World, waitFor } from '../support/world.ts';

/** Ten minutes, and in the short form what shows the same of a fault that is not small. */
const seconds = process.env.OUTLIVE_UI_SHORT === '1' ? 15 : 600;

/** Writes a thousand lines a second, however late it gets its turn. */
const program = `
  const begin = Date.now();
  let lines = 0;
  setInterval(() => {
    const due = Date.now() - begin;
    let text = '';
    for (; lines < due; lines += 1) text += 'line ' + lines + ' of a server that is asked a thousand times a second\\n';
    process.stdout.write(text);
  }, 50);
`;

test(`${seconds} seconds of 1,000 lines each are followed with bounded memory of page and server`, async () => {
  await using world = new World();
  const session = await world.session();
  const command = `exec ${quote(process.execPath)} -e ${quote(program)}`;
  const task = await session.spawn(command, { name: 'lines', timeoutMs: null, maxOutputBytes: null });
  await using server = await UiProcess.start(world);
  await using browser = await TestBrowser.start();
  const page = await browser.page(server.address);
  await rowOf(page, 'lines').click();
  const log = page.locator('.log');
  const linesSo = async (count: number): Promise<void> => {
    await waitFor(
      async () => (await task.read({ maxBytes: 1 })).size > count * 60,
      `${count} lines`,
      60_000 + count * 2,
    );
  };
  // What is kept of the output is full by then.
  await linesSo(Math.min(60_000, (seconds * 1000) / 3));
  const early = { page: await weightOf(page), server: server.memory };
  await linesSo(seconds * 1000);
  const late = { page: await weightOf(page), server: server.memory };
  await task.kill({ graceMs: 0 });
  const { size } = await task.read({ maxBytes: 1 });
  const { text } = await task.read({ offset: Math.max(0, size - 400), maxBytes: 400 });
  const last = text.trimEnd().split('\n').at(-1) ?? '';
  assert.match(last, /^line \d+/);
  await log.filter({ hasText: last }).waitFor();
  assert.ok(late.page.text < 3_000_000, `${late.page.text} characters`);
  assert.ok(late.page.heap < 60_000_000, `${late.page.heap} bytes of heap`);
  const grown = late.server - early.server;
  assert.ok(grown < 40_000_000, `the server has grown by ${grown} bytes`);
  assert.ok(late.server < 250_000_000, `the server has ${late.server} bytes`);
  assert.deepEqual(browser.faults, []);
});
