import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { test } from 'node:test';
import { Agent } from '../../support/agents.ts';
import { factOf } from '../../support/logs.ts';
import { onWindows } from '../../support/processes.ts';
import { untilPrinted } from '../../support/ready.ts';
import { World, waitFor } from '../../support/world.ts';

/** A grace that nobody waits for. */
const graceMs = 60_000;

/** The command ends at once when it is told to; its child has something to do first. */
const slowChild = `sh -c 'trap "sleep 0.5; exit" TERM; echo ready; while :; do sleep 0.05; done' &
  trap 'exit 3' TERM; wait`;

test('a second stop, after the command has ended, waits for the other processes like the first', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn(slowChild);
  await untilPrinted(task);
  await using agent = await Agent.start(world.dir);
  const first = agent.run(async (scope, [id, ms]) => await scope.session.task(id).kill({ graceMs: ms }), [
    task.id,
    graceMs,
  ] as const);
  await waitFor(() => task.snapshot().status === 'killed', 'the command to end');
  const { status, leftovers } = await task.kill({ graceMs });
  assert.deepEqual([status, leftovers, world.pidsOf(task.id)], ['killed', [], []]);
  assert.deepEqual((await first).leftovers, []);
  // Nobody is told of what is about to end.
  assert.deepEqual(factOf(world.logOf(task.id), 'outcome').leftovers, []);
});

test('kill() on an ended task names no leftovers if they have ended by themselves', async () => {
  await using world = new World();
  const session = await world.session();
  const gate = `${world.base}/gate`;
  if (!onWindows) execFileSync('mkfifo', [gate]);
  const go = onWindows ? null : openSync(gate, constants.O_RDWR);
  // Git for Windows has no setsid and no pipes, and Wine takes its time to look.
  const background = onWindows ? 'sleep 5' : `setsid sh -c 'read -r line <${gate}'`;
  const task = await session.spawn(`${background} & exit 4`);
  const ended = await task.wait();
  assert.equal(ended.status, 'failed');
  // One of git-bash is two for a moment.
  assert.ok(ended.leftovers.length === 1 || (onWindows && ended.leftovers.length === 2));
  if (go !== null) writeSync(go, '\n');
  await waitFor(() => world.pidsOf(task.id).length === 0, 'the leftover to end');
  if (go !== null) closeSync(go);
  const { status, leftovers } = await task.kill();
  assert.deepEqual([status, leftovers], ['failed', []]);
  assert.deepEqual(await task.kill(), task.snapshot());
});
