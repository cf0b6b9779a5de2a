import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Session, Task, TaskSnapshot } from '../../../src/index.ts';
import { Agent } from '../../support/agents.ts';
import { CommandLine } from '../../support/command-line.ts';
import { FailingDisk } from '../../support/failing-disk.ts';
import { factOf, hasFact } from '../../support/logs.ts';
import { untilPrinted } from '../../support/ready.ts';
import { quote, World, waitFor } from '../../support/world.ts';

/** Asked to end, it works on until a file is there. Then it ends with 7, which it cannot when it is killed before. */
function cleansUp(go: string): string {
  const work = `until [ -e ${quote(go)} ]; do sleep 0.02; done; exit 7`;
  return `trap ${quote(work)} TERM; echo ready; while :; do sleep 0.05; done`;
}

/** Spawns such a task, has it stopped, and lets it end when the record says that it was asked to. */
async function endOf(
  world: World,
  session: Session,
  stop: (task: Task) => Promise<readonly TaskSnapshot[]>,
): Promise<TaskSnapshot> {
  const go = `${world.base}/go`;
  const task = await session.spawn(cleansUp(go), { graceMs: 20_000, bindTo: 'session' });
  await untilPrinted(task);
  const stopped = stop(task);
  const log = world.logOf(task.id);
  await waitFor(() => hasFact(log, 'stop'), 'the request');
  assert.equal(factOf(log, 'stop').graceMs, 20_000);
  await (await world.session('helper')).run(`touch ${quote(go)}`);
  await stopped;
  return task.snapshot();
}

const ways: readonly [string, (session: Session, task: Task) => Promise<readonly TaskSnapshot[]>][] = [
  ['shutdown()', async (session) => await session.shutdown()],
  ['end()', async (session) => await session.end()],
  ['kill()', async (_, task) => [await task.kill()]],
];

for (const [name, stop] of ways) {
  test(`${name} gives a task the grace period that was set at its spawn`, async () => {
    await using world = new World();
    const session = await world.session();
    const end = await endOf(world, session, async (task) => await stop(session, task));
    assert.deepEqual([end.status, end.exitCode, end.exitSignal], ['killed', 7, null]);
  });
}

test('shutdown() gives each task its own grace period, or all of them the one it gets as an option', async () => {
  await using world = new World();
  const session = await world.session();
  const tasks = [
    await session.spawn('sleep 300', { graceMs: 17_000 }),
    await session.spawn('sleep 300', { graceMs: 50 }),
    await session.spawn('sleep 300'),
  ];
  await session.shutdown();
  const graces = tasks.map(({ id }) => factOf(world.logOf(id), 'stop').graceMs);
  assert.deepEqual(graces, [17_000, 50, 3_000]);
  const last = await session.spawn('sleep 300', { graceMs: 17_000 });
  await session.shutdown({ graceMs: 40 });
  assert.equal(factOf(world.logOf(last.id), 'stop').graceMs, 40);
});

test('a command whose shim is dead gets the grace period of its task from the process that stops it', async () => {
  await using world = new World();
  const session = await world.session();
  const end = await endOf(world, session, async (task) => {
    process.kill(task.snapshot().shimPid ?? 0, 'SIGKILL');
    return [await task.kill()];
  });
  // Nobody has seen with what it ended. It may have been asked to before anybody knew that the shim is dead.
  assert.match(end.status, /^(?:lost|killed)$/);
  assert.deepEqual([end.exitCode, end.leftovers, world.pidsOf(end.taskId)], [null, [], []]);
});

test('a process that cannot read the record gives the grace period that it remembers', async () => {
  await using world = new World();
  using disk = new FailingDisk(world);
  await using agent = await Agent.start(`${disk.dir}/store`);
  const [go, saved] = [`${world.base}/go`, `${world.base}/saved`];
  const work = `until [ -e ${quote(go)} ]; do sleep 0.02; done; echo saved >${quote(saved)}; exit 7`;
  const ready = `${world.base}/ready`;
  const command = `trap ${quote(work)} TERM; touch ${quote(ready)}; while :; do sleep 0.05; done`;
  const helper = await world.session();
  await agent.run(async ({ session, kept }, text) => {
    kept.task = await session.spawn(text, { graceMs: 20_000 });
  }, command);
  await helper.run(`until [ -e ${quote(ready)} ]; do sleep 0.02; done`);
  disk.fail();
  const killed = agent.run(async ({ kept }) => {
    const task = kept.task as Task;
    return await task.kill().then(
      () => 'killed',
      (error: { code: string }) => error.code,
    );
  });
  await helper.run(`sleep 3.2; touch ${quote(go)}`);
  assert.equal(await killed, 'READ_FAILED');
  assert.equal((await helper.run(`cat ${quote(saved)}`)).output.text, 'saved\n');
});

test('kill --bound gives each task the grace period that it was run with', async () => {
  await using cli = new CommandLine();
  const go = `${cli.base}/go`;
  const taskId = await cli.spawn(cleansUp(go), '--grace', '20s', '--bind-to', 'session');
  await cli.until(taskId, ({ output }) => output.bytes > 0);
  const killed = cli.run('kill', '--bound');
  const log = cli.logOf(taskId);
  await waitFor(() => hasFact(log, 'stop'), 'the request');
  assert.equal(factOf(log, 'stop').graceMs, 20_000);
  await cli.run('run', '--wait', '--session', 'helper', `touch ${quote(go)}`);
  assert.match((await killed).stdout, /killed, bound, exit 7 after/);
});
