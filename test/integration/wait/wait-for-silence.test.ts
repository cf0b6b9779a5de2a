import assert from 'node:assert/strict';
import { existsSync, utimesSync } from 'node:fs';
import { test } from 'node:test';
import { World, waitFor } from '../../support/world.ts';

test('silence counts from the last write', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('for i in 1 2 3 4 5 6; do echo $i; sleep 0.05; done; exec sleep 1000');
  await task.waitFor({ pattern: '1' });
  const { cause, idleMs, snapshot } = await task.waitFor({ idleMs: 300 });
  assert.equal(cause, 'idle');
  assert.ok((idleMs ?? 0) >= 300);
  assert.ok(snapshot.output.lastWrittenAt !== null);
  // The clock of files counts hundredths of a second.
  assert.ok(Date.now() - snapshot.output.lastWrittenAt >= 290);
});

test('silence before the call counts; for a task that wrote nothing it counts from the start', async () => {
  await using world = new World();
  const session = await world.session();
  const begun = `${world.base}/begun`;
  const task = await session.spawn(`: > '${begun}'; exec sleep 1000`, { separate: true });
  // The shim of Windows opens the files later than it is said to have started.
  await waitFor(() => existsSync(begun), 'the start of the command');
  const { cause, snapshot } = await task.waitFor({ idleMs: 50, timeoutMs: 10_000 });
  assert.deepEqual([cause, snapshot.output.bytes], ['idle', 0]);
  const hourAgo = Date.now() / 1000 - 3600;
  for (const path of [snapshot.output.path, snapshot.output.stderrPath ?? ''])
    utimesSync(path, hourAgo, hourAgo);
  const { idleMs } = await task.waitFor({ idleMs: 3_500_000, timeoutMs: 10_000 });
  assert.ok((idleMs ?? 0) >= 3_500_000);
});

test('a write to either stream ends the silence', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('echo out; echo err >&2; exec sleep 1000', { separate: true });
  await task.waitFor({ pattern: 'err', stream: 'stderr' });
  const { path, stderrPath } = task.snapshot().output;
  const hourAgo = Date.now() / 1000 - 3600;
  utimesSync(path, hourAgo, hourAgo);
  assert.equal((await task.waitFor({ idleMs: 3_500_000, timeoutMs: 50 })).cause, 'timeout');
  utimesSync(stderrPath ?? '', hourAgo, hourAgo);
  assert.equal((await task.waitFor({ idleMs: 3_500_000, timeoutMs: 50 })).cause, 'idle');
});
