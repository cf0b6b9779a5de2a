import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import type { Task } from '../../../src/index.ts';
import { factsOf, hasFact } from '../../support/logs.ts';
import { onWindows } from '../../support/processes.ts';
import { World } from '../../support/world.ts';

/** Wine takes half a second for each task. */
const [rounds, repetitions] = onWindows ? [5, 12] : [20, 60];

// In the reference system the answer was "killed" though the exit marker said 0.
test('kill() just after a natural end reports the natural end', async () => {
  await using world = new World();
  const session = await world.session();
  for (let i = 0; i < rounds; i += 1) {
    const task = await session.spawn(`exit ${i % 3}`);
    const log = world.logOf(task.id);
    // Busy, so that this process has not seen the exit event when it asks for the end.
    while (!hasMarker(log));
    const { status, exitCode, statusReason } = await task.kill({
      graceMs: 0,
      killSignal: i % 2 ? 'SIGKILL' : 'SIGTERM',
    });
    const natural = { status: i % 3 ? 'failed' : 'completed', exitCode: i % 3, statusReason: null };
    assert.deepEqual({ status, exitCode, statusReason }, natural);
  }
});

test('whenever kill() comes around the end, the status is the one in the log', async (t) => {
  await using world = new World();
  const session = await world.session();
  const seen: Record<string, number> = {};
  const once = async (): Promise<void> => {
    const task = await session.spawn('sleep 0.01');
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 25));
    const { status, exitCode } = await task.kill({ graceMs: 1_000 });
    seen[status] = (seen[status] ?? 0) + 1;
    if (endedFirst(world, task)) assert.deepEqual({ status, exitCode }, { status: 'completed', exitCode: 0 });
    else assert.equal(status, 'killed');
  };
  for (let i = 0; i < repetitions; i += 6) await Promise.all(Array.from({ length: 6 }, once));
  t.diagnostic(JSON.stringify(seen));
});

test('kill() of a task that is just ending delivers one completion', async () => {
  await using world = new World();
  const session = await world.session();
  const tasks = await Promise.all(Array.from({ length: rounds }, () => session.spawn('sleep 0.01; exit 4')));
  await Promise.all(tasks.map((task) => task.kill({ graceMs: 1_000, ack: false })));
  const pending = await session.takePending();
  assert.deepEqual(new Set(pending.map(({ taskId }) => taskId)), new Set(tasks.map(({ id }) => id)));
  assert.deepEqual(await session.takePending(), []);
});

/** On Windows it is in a file of its own until somebody has seen it. */
function hasMarker(log: string): boolean {
  return onWindows ? existsSync(log.replace(/\.jsonl$/, '.exit')) : hasFact(log, 'exit');
}

/** Whether the exit marker stands before the first request to stop, or there is none. */
function endedFirst(world: World, task: Task): boolean {
  const kinds = factsOf(world.logOf(task.id)).map(({ fact }) => fact);
  return !kinds.includes('stop') || (kinds.indexOf('exit') < kinds.indexOf('stop') && kinds.includes('exit'));
}
