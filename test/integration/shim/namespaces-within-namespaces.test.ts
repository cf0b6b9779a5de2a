import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Agent } from '../../support/agents.ts';
import { checkEveryday } from '../../support/everyday.ts';
import { PidNamespace } from '../../support/namespaces.ts';
import { untilStarted } from '../../support/ready.ts';
import { isLive, quote, World, waitFor } from '../../support/world.ts';

/** Runs what follows in a pid namespace inside of another, where bash is the first process. */
function innerOf(outer: PidNamespace): string[] {
  const inner = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'];
  return [...outer.enter, ...inner, 'bash', '-c', '"$@"; exit', 'bash'];
}

test('a task of an inner pid namespace belongs to that namespace, and counts as ended when that is gone', async () => {
  await using world = new World();
  await using outer = await PidNamespace.start();
  await using around = await Agent.start(world.dir, { before: outer.enter });
  await using inside = await Agent.start(world.dir, { before: innerOf(outer) });
  const [ended = '', runs = '', stays = ''] = await inside.run(async ({ session }) => {
    const tasks = [
      await session.spawn('exit 3'),
      await session.spawn('sleep 300'),
      await session.spawn('sleep 301'),
    ];
    await tasks[0]?.wait({ ack: false });
    return tasks.map(({ id }) => id);
  });
  await untilStarted(world, runs, stays);
  const machine = await world.session();
  const seenAround = await around.run(
    ({ session }, ids) => ids.map((id) => session.task(id).snapshot()),
    [ended, runs],
  );
  const seenOutside = [ended, runs].map((id) => machine.task(id).snapshot());
  for (const seen of [seenAround, seenOutside])
    assert.deepEqual(
      seen.map(({ status, statusReason, exitCode }) => [status, statusReason, exitCode]),
      [
        ['failed', null, 3],
        ['running', 'elsewhere', null],
      ],
    );
  const kill = around.run(({ session }, id) => session.task(id).kill({ graceMs: 0 }), runs);
  await assert.rejects(kill, { code: 'TASK_ELSEWHERE' });
  const [pid = 0] = world.pidsOf(runs);
  assert.ok(isLive(pid));
  const killed = await inside.run(({ session }, id) => session.task(id).kill({ graceMs: 100 }), runs);
  assert.equal(killed.status, 'killed');
  assert.equal(isLive(pid), false);
  // The first process of the inner namespace ends with the agent, and everything inside with it.
  await inside.crash();
  await waitFor(() => world.pidsOf(stays).length === 0, 'the inner namespace to be gone');
  const end = await around.run(async ({ session }, id) => await session.task(id).wait(), stays);
  assert.deepEqual([end.status, end.statusReason], ['lost', 'container_restarted']);
});

test('tasks work in a pid namespace within another one', async () => {
  await using world = new World();
  await using outer = await PidNamespace.start();
  await using inside = await Agent.start(world.dir, { before: innerOf(outer) });
  await checkEveryday(world, inside);
});

/** Commands that begin a pid namespace of their own, as `docker run` without a daemon does. */
const containers: [string, string][] = [
  ['waits for', 'unshare --pid --fork --mount-proc sh -c "setsid sleep 300 & sleep 301 & echo ready; wait"'],
  [
    'ignores SIGTERM in',
    `unshare --pid --fork sh -c ${quote('trap "" TERM; echo ready; while :; do sleep 0.05; done')}`,
  ],
];

for (const [what, command] of containers) {
  test(`a task that ${what} its own pid namespace is stopped whole`, async () => {
    await using world = new World();
    const session = await world.session();
    const task = await session.spawn(command);
    await task.waitFor({ pattern: 'ready' });
    const pids = world.pidsOf(task.id);
    assert.ok(pids.length > 1);
    const end = await task.kill({ graceMs: 200 });
    assert.deepEqual([end.status, end.leftovers], ['killed', []]);
    assert.deepEqual(pids.filter(isLive), []);
  });
}

test('a pid namespace that a command leaves is named, and ended by a stop', async () => {
  await using world = new World();
  const session = await world.session();
  const left = 'env -i /usr/bin/unshare --pid --fork --mount-proc /bin/sleep 300 & sleep 0.3; exit 5';
  const { task, snapshot } = await session.run(left);
  assert.equal(snapshot.exitCode, 5);
  const named = snapshot.leftovers.map(({ command }) => command);
  assert.ok(named.includes('/bin/sleep 300'), named.join());
  assert.deepEqual((await task.kill({ graceMs: 200 })).leftovers, []);
  assert.deepEqual(
    snapshot.leftovers.filter(({ pid }) => isLive(pid)),
    [],
  );
});
