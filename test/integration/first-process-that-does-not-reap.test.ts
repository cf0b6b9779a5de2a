import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Agent } from '../support/agents.ts';
import { PidNamespace } from '../support/namespaces.ts';
import { World } from '../support/world.ts';

/** Node as the first process reaps its own children alone; what is orphaned stays a zombie for ever. */
const neverReaps = `exec ${process.execPath} -e 'setInterval(() => {}, 1000)'`;

test('where the first process does not reap, tasks end and are stopped, and zombies are nobody who is left', async () => {
  await using world = new World();
  await using container = await PidNamespace.start(neverReaps);
  const before = container.enter;
  await using spawner = await Agent.start(world.dir, { before });
  const [ended = '', stubborn = '', adopted = '', stopped = ''] = await spawner.run(async ({ session }) => {
    const orphan = '(setsid sh -c "exit 3" &); (sleep 0.05 &); sleep 0.1';
    const ends = await session.spawn(`${orphan}; exit 5`);
    await ends.wait({ ack: false });
    // Its orphans die by the stop, and stay.
    const tree = `trap '' TERM; (setsid sleep 300 &); (sleep 300 &); echo ready; ${orphan}; sleep 300; sleep 300`;
    const tasks = [ends, await session.spawn(tree), await session.spawn(`${orphan}; sleep 0.5; exit 6`)];
    tasks.push(await session.spawn(tree));
    for (const task of [tasks[1], tasks[3]])
      while (!(await task?.tail())?.text.includes('ready')) await new Promise((next) => setTimeout(next, 5));
    await tasks[1]?.kill({ graceMs: 50 });
    return tasks.map(({ id }) => id);
  });
  const own = await spawner.run(
    ({ session }, ids) => ids.map((id) => session.task(id).snapshot()),
    [ended, stubborn],
  );
  assert.deepEqual(
    own.map(({ status, exitCode, leftovers }) => [status, exitCode, leftovers]),
    [
      ['failed', 5, []],
      ['killed', own[1]?.exitCode, []],
    ],
  );
  // The shims themselves are orphans now: each ends as a zombie.
  await spawner.crash();
  await using next = await Agent.start(world.dir, { before });
  const taken = await next.run(
    async ({ session, fs }, [ends = '', stops = '']) => {
      const snapshots = [
        await session.task(ends).wait({ timeoutMs: 15_000 }),
        await session.task(stops).kill({ graceMs: 50 }),
      ];
      const states = fs
        .readdirSync('/proc')
        .filter((name) => /^\d+$/.test(name))
        .map((pid) => fs.readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.[0]);
      return { snapshots, zombies: states.filter((state) => state === 'Z').length };
    },
    [adopted, stopped],
  );
  assert.deepEqual(
    taken.snapshots.map(({ status, exitCode, leftovers }) => [status, exitCode, leftovers]),
    [
      ['failed', 6, []],
      ['killed', taken.snapshots[1]?.exitCode, []],
    ],
  );
  assert.ok(taken.zombies > 4, `${taken.zombies} zombies`);
});
