import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import type { Finding } from '../../../src/doctor/finding.ts';
import { Agent } from '../../support/agents.ts';
import { PidNamespace } from '../../support/namespaces.ts';
import { World, waitFor } from '../../support/world.ts';

/** Node as the first process reaps its own children alone; what is orphaned stays a zombie for ever. */
const neverReaps = `exec ${process.execPath} -e 'setInterval(() => {}, 1000)'`;

const orphan = '(setsid sh -c "exit 3" &); (sleep 0.05 &); sleep 0.1';

/** The names and states of the processes that an agent sees and that are left to the first process. */
async function orphansOf(agent: Agent): Promise<{ name: string; isZombie: boolean }[]> {
  return await agent.run(({ fs }) =>
    fs.readdirSync('/proc').flatMap((entry) => {
      try {
        const stat = fs.readFileSync(`/proc/${Number(entry)}/stat`, 'latin1');
        const [, name = '', state, parent] = /\((.*)\) (.) (\d+)/s.exec(stat) ?? [];
        return parent === '1' ? [{ name, isZombie: state === 'Z' }] : [];
      } catch {
        // It is gone, or no process at all.
        return [];
      }
    }),
  );
}

async function zombiesOf(agent: Agent): Promise<string[]> {
  return (await orphansOf(agent)).flatMap(({ name, isZombie }) => (isZombie ? [name] : []));
}

/** How many shims have ended as zombies, when no shim that is left to the first process runs. */
async function zombiesAtRest(agent: Agent): Promise<number> {
  const runs = ({ name, isZombie }: { name: string; isZombie: boolean }) =>
    name === 'outlive-shim' && !isZombie;
  await waitFor(async () => !(await orphansOf(agent)).some(runs), 'the shims that were left to end');
  return (await zombiesOf(agent)).length;
}

/** Has an agent run many short tasks at the same moment, which leave orphans of their own. */
async function runMany(agent: Agent): Promise<void> {
  const codes = await agent.run(async ({ session }, command) => {
    const tasks = await Promise.all(Array.from({ length: 30 }, () => session.spawn(command)));
    return await Promise.all(tasks.map(async (task) => (await task.wait()).exitCode));
  }, `${orphan}; exit 5`);
  assert.deepEqual(codes, Array(30).fill(5));
}

test('if pid 1 does not reap, tasks end and can be stopped, and zombies do not count as leftovers', async () => {
  await using world = new World();
  await using container = await PidNamespace.start(neverReaps);
  const before = container.enter;
  await using spawner = await Agent.start(world.dir, { before });
  const [ended = '', stubborn = '', adopted = '', stopped = ''] = await spawner.run(
    async ({ session }, given) => {
      const ends = await session.spawn(`${given}; exit 5`);
      await ends.wait({ ack: false });
      const tree = `trap '' TERM; (setsid sleep 300 &); (sleep 300 &); echo ready; ${given}; sleep 300; sleep 300`;
      const tasks = [ends, await session.spawn(tree), await session.spawn(`${given}; sleep 0.5; exit 6`)];
      tasks.push(await session.spawn(tree));
      for (const task of [tasks[1], tasks[3]])
        while (!(await task?.tail())?.text.includes('ready'))
          await new Promise((next) => setTimeout(next, 5));
      await tasks[1]?.kill({ graceMs: 50 });
      return tasks.map(({ id }) => id);
    },
    orphan,
  );
  const own = await spawner.run(
    ({ session }, ids) => ids.map((id) => session.task(id).snapshot()),
    [ended, stubborn],
  );
  assert.deepEqual(
    own.map(({ status, exitCode, leftovers }) => [status, exitCode, leftovers]),
    [
      ['failed', 5, []],
      ['killed', 137, []],
    ],
  );
  // All shims are orphans now: each ends as a zombie. The orphans of the tasks themselves are reaped by them.
  await spawner.crash();
  await using next = await Agent.start(world.dir, { before });
  const taken = await next.run(
    async ({ session }, [ends = '', stops = '']) => [
      await session.task(ends).wait({ timeoutMs: 15_000 }),
      await session.task(stops).kill({ graceMs: 50 }),
    ],
    [adopted, stopped],
  );
  assert.deepEqual(
    taken.map(({ status, exitCode, leftovers }) => [status, exitCode, leftovers]),
    [
      ['failed', 6, []],
      ['killed', 137, []],
    ],
  );
  const zombies = await zombiesOf(next);
  assert.deepEqual([...new Set(zombies)], ['outlive-shim']);
});

test('a process that has found out that nobody reaps leaves no further zombies, whatever it starts', async () => {
  await using world = new World();
  await using container = await PidNamespace.start(neverReaps);
  await using agent = await Agent.start(world.dir, { before: container.enter });
  // The shims that end until it is known are zombies for ever.
  for (let before = -1, now = 0; before < now; ) {
    before = now;
    await runMany(agent);
    now = await zombiesAtRest(agent);
  }
  const zombies = await zombiesAtRest(agent);
  for (let round = 0; round < 3; round += 1) await runMany(agent);
  assert.equal(await zombiesAtRest(agent), zombies);
});

test('an agent that is pid 1 itself leaves no zombies', async () => {
  await using world = new World();
  const before = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'];
  await using agent = await Agent.start(world.dir, { before });
  assert.equal(await agent.run(() => process.pid), 1);
  await runMany(agent);
  // The last to end, a shim is reaped a moment after its task is told to have ended.
  for (let left = ['']; left.length > 0; ) left = await zombiesOf(agent);
});

test('the doctor says that orphans are not reaped, and what to do', async () => {
  await using world = new World();
  await using container = await PidNamespace.start(neverReaps);
  const [command = '', ...words] = container.enter;
  const doctor = new URL('../../../src/doctor/doctor.js', import.meta.url).href;
  const script = `import { diagnose } from '${doctor}';
    console.log(JSON.stringify((await diagnose({ dir: process.argv[1] })).findings));`;
  const run = [...words, process.execPath, '--input-type=module', '-e', script, world.dir];
  const findings: Finding[] = JSON.parse(execFileSync(command, run, { encoding: 'utf8' }));
  const { level, message, advice } = findings.find(({ check }) => check === 'orphans') ?? {};
  assert.equal(level, 'warning');
  assert.match(message ?? '', /no process reaps .* stays a zombie/);
  assert.match(advice ?? '', /--init/);
});
