import assert from 'node:assert/strict';
import { utimesSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { World, waitFor } from '../../support/world.ts';

test('a snapshot says when the task last wrote, to either stream, also when its output was cut', async () => {
  await using world = new World();
  const session = await world.session();
  const go = `${world.base}/go`;
  const command = `until [ -e ${go} ]; do sleep 0.05; done; echo out; sleep 0.1; echo err >&2`;
  const task = await session.spawn(command, { separate: true });
  assert.equal(task.snapshot().output.lastWrittenAt, null);
  writeFileSync(go, '');
  const { startedAt, endedAt, output } = await task.wait();
  const { lastWrittenAt } = output;
  assert.ok(lastWrittenAt !== null && startedAt !== null && endedAt !== null);
  // The clocks of files and of the start count hundredths of a second.
  assert.ok(lastWrittenAt >= startedAt + 80 && lastWrittenAt <= endedAt + 20, `${lastWrittenAt - startedAt}`);
  const chatty = await session.spawn('seq 1 1000; sleep 0.1', { keepOutputBytes: 100 });
  const written = (await chatty.wait()).output.lastWrittenAt;
  await waitFor(() => chatty.snapshot().output.preview.includes('1000'), 'the output');
  await waitFor(async () => (await chatty.read({ maxBytes: 100_000 })).nextOffset < 200, 'the cut');
  assert.equal(chatty.snapshot().output.lastWrittenAt, written);
});

test('a running task that is silent for longer than ever before shows as silent, to every process', async (t) => {
  await using world = new World();
  const [session, other] = [await world.session(), await world.session()];
  const task = await session.spawn('echo ready; exec sleep 1000');
  await task.waitFor({ pattern: 'ready' });
  const shown = () =>
    [task.snapshot(), other.task(task.id).snapshot()].map(({ statusReason }) => statusReason);
  assert.deepEqual(shown(), [null, null]);
  // A minute and some later.
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 62_000 });
  assert.deepEqual(shown(), ['silent', 'silent']);
  const now = Date.now() / 1000;
  utimesSync(task.snapshot().output.path, now, now);
  assert.deepEqual(shown(), [null, null]);
});
