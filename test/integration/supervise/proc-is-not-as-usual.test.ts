import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Agent } from '../../support/agents.ts';
import { childrenOf } from '../../support/daemons.ts';
import { checkEveryday } from '../../support/everyday.ts';
import { factOf, factsOf } from '../../support/logs.ts';
import { PidNamespace } from '../../support/namespaces.ts';
import { untilStarted } from '../../support/ready.ts';
import { ShimInPlace, shimAfter, shimWithoutProc } from '../../support/shims.ts';
import { fixture, quote, World, waitFor } from '../../support/world.ts';

test('tasks work if /proc is read-only', async () => {
  await using world = new World();
  const before = ['unshare', '--mount', 'sh', '-c', 'mount -o remount,bind,ro /proc && exec "$@"', 'sh'];
  await using agent = await Agent.start(world.dir, { before });
  const refused = await agent.run(({ fs }) => {
    try {
      fs.writeFileSync('/proc/self/oom_score_adj', '0');
      return null;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code;
    }
  });
  assert.equal(refused, 'EROFS');
  await checkEveryday(world, agent);
});

/** The shim where /proc tells of the processes of another pid namespace, in which the same numbers are others. */
function shimWithProcOf(world: World, namespace: PidNamespace): string {
  // Who mounts it decides whose it is.
  const script = `nsenter --target ${namespace.pid} --pid mount -t proc none /proc && exec "$@"`;
  return shimAfter(world, '', `unshare --mount sh -c ${quote(script)} sh`);
}

const shims = [
  { what: 'there is no /proc', make: async (world: World) => shimWithoutProc(world) },
  {
    what: '/proc is of another pid namespace',
    make: async (world: World, namespace: PidNamespace) => shimWithProcOf(world, namespace),
  },
];

for (const { what, make } of shims) {
  test(`a shim for which ${what} records ends, enforces limits and ends the processes that it can reach`, async () => {
    await using world = new World();
    await using namespace = await PidNamespace.start();
    using _ = new ShimInPlace(await make(world, namespace));
    const session = await world.session();
    const { task: first, snapshot, output } = await session.run('echo out; exit 3');
    assert.equal(factOf(world.logOf(first.id), 'started').shimStart, null, 'it knows of no process');
    assert.deepEqual([snapshot.exitCode, output.text, snapshot.leftovers], [3, 'out\n', []]);
    const timed = await (await session.spawn('sleep 300', { timeoutMs: 300 })).wait();
    assert.deepEqual([timed.status, timed.leftovers], ['timed_out', []]);
    const flood = await (await session.spawn('yes', { maxOutputBytes: 100_000, graceMs: 50 })).wait();
    assert.deepEqual([flood.status, flood.statusReason], ['killed', 'output_limit']);
    // What has left the group only a look at processes finds: others can look.
    const trees = ['echo ready; sleep 300 & setsid sleep 300 & wait', fixture('ignores-sigterm-tree.sh')];
    for (const tree of trees) {
      const task = await session.spawn(tree, { graceMs: 100 });
      await task.waitFor({ pattern: 'ready' });
      assert.equal((await task.kill()).status, 'killed');
      assert.deepEqual(world.pidsOf(task.id), []);
    }
    const left = await session.run('setsid sleep 300 & sleep 0.2; exit 4');
    assert.deepEqual(
      [left.snapshot.exitCode, left.snapshot.leftovers.map(({ command }) => command)],
      [4, ['sleep 300']],
    );
    assert.deepEqual((await left.task.kill({ graceMs: 50 })).leftovers, []);
    await waitFor(() => world.pids().length === 0, 'all processes of tasks to be gone');
  });

  test(`a stop by a shim for which ${what} touches no foreign process`, async () => {
    await using world = new World();
    await using namespace = await PidNamespace.start('for i in 1 2 3 4 5 6 7 8; do sleep 300 & done; wait');
    await waitFor(() => childrenOf(namespace.pid).length === 8, 'strangers');
    const strangers = childrenOf(namespace.pid);
    using _ = new ShimInPlace(await make(world, namespace));
    const session = await world.session();
    const task = await session.spawn(
      'trap "" TERM; echo ready; setsid sleep 300 & while :; do sleep 0.05; done',
    );
    await task.waitFor({ pattern: 'ready' });
    await untilStarted(world, task.id);
    assert.equal((await task.kill({ graceMs: 100 })).status, 'killed');
    assert.deepEqual(childrenOf(namespace.pid), strangers);
    assert.ok(factsOf(world.logOf(task.id)).some(({ fact }) => fact === 'exit'));
    await waitFor(() => world.pids().length === 0, 'all processes of the task to be gone');
  });
}
