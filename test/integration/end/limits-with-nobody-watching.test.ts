import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { openStore } from '../../../src/index.ts';
import { hasFact } from '../../support/logs.ts';
import { orphanTask } from '../../support/orphans.ts';
import { commandLineOf, onWindows } from '../../support/processes.ts';
import { processes, World, waitFor } from '../../support/world.ts';

// Every flood has an end of its own: a test that fails must not fill the disk.
const limit = { maxOutputBytes: 1_000_000, graceMs: 200 };
const promisedMs = 5_000;

function flood(world: World): string {
  return `until [ -e ${world.base}/go ]; do sleep 0.02; done; yes | head -c 50M; sleep 1000`;
}

/** Waits until a task that nobody watches has no process any more. */
async function untilGone(world: World): Promise<void> {
  await waitFor(() => world.pids().length === 0, 'the processes of the task to be gone');
}

test('after the spawner was killed, a flood is stopped within 5 s of crossing its limit', async (t) => {
  await using world = new World();
  const taskId = await orphanTask(world, flood(world), limit);
  writeFileSync(`${world.base}/go`, '');
  const output = world.logOf(taskId).replace('/tasks/', '/output/').replace('.jsonl', '.out');
  await waitFor(() => statSync(output).size > limit.maxOutputBytes, 'the flood');
  const crossed = performance.now();
  await untilGone(world);
  const tookMs = performance.now() - crossed;
  t.diagnostic(`gone ${Math.round(tookMs)} ms after the crossing`);
  assert.ok(tookMs < promisedMs + 2_000, `took ${tookMs} ms`);
  const task = (await world.session()).task(taskId);
  const { status, statusReason } = await task.wait({ ack: false });
  assert.deepEqual([status, statusReason], ['killed', 'output_limit']);
});

test('a flood that begins long after its store was closed is stopped, and its completion is pending', async () => {
  await using world = new World();
  const store = await openStore({ dir: world.dir });
  const task = await (await store.session('test')).spawn(flood(world), limit);
  await store.close();
  writeFileSync(`${world.base}/go`, '');
  await untilGone(world);
  const session = await world.session();
  await session.task(task.id).wait({ ack: false });
  assert.deepEqual(
    (await session.pending()).map(({ taskId, statusReason }) => [taskId, statusReason]),
    [[task.id, 'output_limit']],
  );
});

test('leftovers are ended without a supervisor, and the next process cuts the output', async () => {
  await using world = new World();
  const taskId = await orphanTask(world, 'sleep 1000 & sleep 2; seq 1 2000', {
    keepOutputBytes: 1_000,
    leftovers: 'kill',
    graceMs: 100,
  });
  await untilGone(world);
  const task = (await world.session()).task(taskId);
  const { status, leftovers } = await task.wait({ ack: false });
  assert.deepEqual([status, leftovers], ['completed', []]);
  await waitFor(() => hasFact(world.logOf(taskId), 'cut'), 'the cut');
  // The record says it a moment before the shorter file takes its place.
  await waitFor(() => !world.files().some((path) => path.endsWith('.cut')), 'the shorter file');
  assert.match((await task.tail({ maxBytes: 100 })).text, /\n2000\n$/);
});

test('a task that ends without a supervisor leaves no process, and no files except its record and its output', async () => {
  await using world = new World();
  const go = `${world.base}/go`;
  const taskId = await orphanTask(world, `until [ -e ${go} ]; do sleep 0.05; done`);
  writeFileSync(go, '');
  // What looks after tasks has the store's folder or the task's id among its words.
  const named = (): number[] =>
    processes().filter((pid) => {
      const line = commandLineOf(pid)?.replaceAll('\\', '/') ?? '';
      return line.includes(`${world.dir}`) || line.includes(taskId);
    });
  await waitFor(() => world.pids().length === 0 && named().length === 0, 'all processes to be gone');
  const folder = /^\/sessions(?:\/[^/]+(?:\/tasks|\/output|\/done(?:\/[\w-]+)?)?)?$/;
  // An agent that is killed while it opens its doorbell leaves the pipe, which is swept a minute later.
  const files = world.files().filter((path) => !folder.test(path) && !path.startsWith('/doorbell-'));
  const names = files.map((path) => path.replace(/^.*\//, ''));
  assert.deepEqual(names.sort(), [
    `${taskId}.jsonl`,
    `${taskId}.out`,
    // The locks of the first say which shims watch their output.
    ...(onWindows ? [] : ['inotify', 'queue']),
    // It says when the store was gone through.
    'retained',
    'session.json',
    'store.json',
  ]);
});
