import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AgentScope } from '../../support/agent-types.ts';
import { Agent } from '../../support/agents.ts';
import { PidNamespace } from '../../support/namespaces.ts';
import { World } from '../../support/world.ts';

/**
 * Has pids wrap around some dozen times a second in the agent's pid namespace: the kernel is told to go on just below
 * the last one, and processes are started until it has begun again at the bottom.
 */
const wrapPids = ({ fs, childProcess, kept }: AgentScope): void => {
  const most = Number(fs.readFileSync('/proc/sys/kernel/pid_max', 'utf8'));
  const loop = `while :; do echo ${most - 5} >/proc/sys/kernel/ns_last_pid; for i in 1 2 3 4 5 6 7 8; do true & done; wait; done`;
  // All have the one group, which ends with the agent's test.
  const churn = childProcess.spawn('bash', ['-c', loop], { detached: true, stdio: 'ignore' });
  kept.stop = () => {
    process.kill(-(churn.pid ?? 0), 'SIGKILL');
    return new Promise((resolve) => churn.once('exit', resolve));
  };
};

const stopWrapping = async ({ kept }: AgentScope): Promise<void> =>
  await (kept.stop as () => Promise<void>)();

const inputs = ['sleep 300 &', '(setsid sleep 301 &)', 'env -i setsid sh -c "/bin/sleep 302 & /bin/true" &'];

for (const command of inputs) {
  test(`the leftovers of "${command}" are named and stopped while pids wrap around`, async () => {
    await using world = new World();
    await using namespace = await PidNamespace.start();
    await using agent = await Agent.start(world.dir, { before: namespace.enter });
    await agent.run(wrapPids);
    const ends = await agent.run(async ({ session }, text) => {
      const all: string[][][] = [];
      for (let round = 0; round < 20; round += 1) {
        const { task, snapshot } = await session.run(text);
        const after = await task.kill({ graceMs: 200 });
        all.push([snapshot, after].map(({ leftovers }) => leftovers.map((leftover) => leftover.command)));
      }
      return all;
    }, command);
    await agent.run(stopWrapping);
    // What it is called may be what it was before it became that.
    const wrong = ends.filter(([named, after]) => named?.length === 0 || after?.length !== 0);
    assert.deepEqual(wrong, []);
    const living = await agent.run(({ childProcess }) =>
      childProcess.execFileSync('ps', ['-e', '-o', 'args='], { encoding: 'utf8' }),
    );
    assert.doesNotMatch(living, /sleep 30\d/);
  });
}

test('a task that kills its leftovers, or waits for them, ends correctly while pids wrap around', async () => {
  await using world = new World();
  await using namespace = await PidNamespace.start();
  await using agent = await Agent.start(world.dir, { before: namespace.enter });
  await agent.run(wrapPids);
  const ends = await agent.run(async ({ session }) => {
    const all: unknown[][] = [];
    for (let round = 0; round < 8; round += 1) {
      const tasks = [
        await session.spawn('(setsid sleep 303 &); exit 3', { leftovers: 'kill', graceMs: 200 }),
        await session.spawn('(setsid sleep 0.05 &); exit 4', { leftovers: 'wait' }),
      ];
      for (const task of tasks) {
        const { status, exitCode, leftovers } = await task.wait();
        all.push([status, exitCode, leftovers]);
      }
    }
    return all;
  });
  await agent.run(stopWrapping);
  assert.deepEqual(
    ends,
    Array.from({ length: 8 }, () => [
      ['failed', 3, []],
      ['failed', 4, []],
    ]).flat(),
  );
});

test('a task ends with the process that it is bound to, although another process gets that pid', async () => {
  await using world = new World();
  await using namespace = await PidNamespace.start();
  await using agent = await Agent.start(world.dir, { before: namespace.enter });
  const end = await agent.run(async ({ session, childProcess, fs }) => {
    const ended = (child: ReturnType<typeof childProcess.spawn>): Promise<unknown> =>
      new Promise((resolve) => child.once('exit', resolve));
    const bound = childProcess.spawn('sleep', ['304'], { stdio: 'ignore' });
    const task = await session.spawn('sleep 300', { bindTo: { pid: bound.pid ?? 0 } });
    while (task.snapshot().pid === null) await new Promise((resolve) => setTimeout(resolve, 10));
    bound.kill('SIGKILL');
    await ended(bound);
    for (;;) {
      fs.writeFileSync('/proc/sys/kernel/ns_last_pid', String((bound.pid ?? 0) - 1));
      const stranger = childProcess.spawn('sleep', ['305'], { stdio: 'ignore' });
      if (stranger.pid === bound.pid) {
        const { status, statusReason } = await task.wait();
        const survived = stranger.exitCode === null && stranger.signalCode === null;
        stranger.kill('SIGKILL');
        return [status, statusReason, survived];
      }
      stranger.kill('SIGKILL');
      await ended(stranger);
    }
  });
  assert.deepEqual(end, ['killed', 'bound', true]);
});
