import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import type { Finding } from '../../src/engine/doctor/finding.ts';
import { Agent } from '../support/agents.ts';
import { PidNamespace } from '../support/namespaces.ts';
import { World, waitFor } from '../support/world.ts';

/** Node as the first process reaps its own children alone; what is orphaned stays a zombie for ever. */
const neverReaps = `exec ${process.execPath} -e 'setInterval(() => {}, 1000)'`;

const orphan = '(setsid sh -c "exit 3" &); (sleep 0.05 &); sleep 0.1';

/** The names of the zombies that an agent sees. */
async function zombiesOf(agent: Agent): Promise<string[]> {
  return await agent.run(({ fs }) =>
    fs.readdirSync('/proc').flatMap((name) => {
      try {
        const stat = fs.readFileSync(`/proc/${Number(name)}/stat`, 'latin1');
        const [, comm = '', state] = /\((.*)\) (.)/s.exec(stat) ?? [];
        return state === 'Z' ? [comm] : [];
      } catch {
        // It is gone, or no process at all.
        return [];
      }
    }),
  );
}

/** Has an agent run many short tasks at the same moment, which leave orphans of their own. */
async function runMany(agent: Agent): Promise<void> {
  const codes = await agent.run(async ({ session }, command) => {
    const tasks = await Promise.all(Array.from({ length: 30 }, () => session.spawn(command)));
    return await Promise.all(tasks.map(async (task) => (await task.wait()).exitCode));
  }, `${orphan}; exit 5`);
  assert.deepEqual(codes, Array(30).fill(5));
}

test('where the first process does not reap, tasks end and are stopped, and zombies are nobody who is left', async () => {
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

test('a process that has found out that nobody reaps leaves no zombie more, whatever it starts', async () => {
  await using world = new World();
  await using container = await PidNamespace.start(neverReaps);
  await using agent = await Agent.start(world.dir, { before: container.enter });
  // The shims that end until it is known are zombies for ever.
  for (let before = -1; before < (await zombiesOf(agent)).length; ) {
    before = (await zombiesOf(agent)).length;
    await runMany(agent);
  }
  const zombies = (await zombiesOf(agent)).length;
  for (let round = 0; round < 3; round += 1) await runMany(agent);
  await waitFor(async () => (await zombiesOf(agent)).length === zombies, 'the last shims to be reaped');
});

test('an agent that is the first process itself leaves no zombie at all', async () => {
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
  const doctor = new URL('../../src/api/doctor.js', import.meta.url).href;
  const script = `import { diagnose } from '${doctor}';
    console.log(JSON.stringify((await diagnose({ dir: process.argv[1] })).findings));`;
  const run = [...words, process.execPath, '--input-type=module', '-e', script, world.dir];
  const findings: Finding[] = JSON.parse(execFileSync(command, run, { encoding: 'utf8' }));
  const { level, message, advice } = findings.find(({ check }) => check === 'orphans') ?? {};
  assert.equal(level, 'warning');
  assert.match(message ?? '', /nobody reaps .* stays a zombie/);
  assert.match(advice ?? '', /--init/);
});
