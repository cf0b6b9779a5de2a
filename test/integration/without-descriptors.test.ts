import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Agent } from '../support/agents.ts';
import { quote, World } from '../support/world.ts';

test('a process without a free descriptor judges nothing wrongly and stops tasks, is told by a code what it cannot do, and goes on when it has some', async () => {
  await using world = new World();
  const go = `${world.base}/go`;
  const waits = `until [ -e ${quote(go)} ]; do sleep 0.02; done; exit`;
  // Another one spawns, so that the agent knows the tasks by looking at processes alone.
  await using spawner = await Agent.start(world.dir);
  const ids = await spawner.run(
    async ({ session }, command) => [
      (await session.spawn(`${command} 3`)).id,
      (await session.spawn('sleep 300', { bindTo: { pid: process.pid } })).id,
    ],
    waits,
  );
  await using agent = await Agent.start(world.dir, {
    before: ['sh', '-c', 'ulimit -n 60; exec "$@"', 'sh'],
    node: ['--unhandled-rejections=strict'],
  });
  const refusals = await agent.run(async ({ session, fs, kept }, [ends = '', bound = '']) => {
    // Loaded while there is room: what Node could not load once, it never loads.
    await (await session.spawn('true', { timeoutMs: 50 })).wait();
    const open: number[] = [];
    kept.open = open;
    try {
      for (;;) open.push(fs.openSync('/dev/null', 'r'));
    } catch {
      // That was the last.
    }
    const codes: string[] = [];
    const ask = async (what: string, work: () => unknown): Promise<void> => {
      const said = await Promise.resolve()
        .then(work)
        .then((answer) => (answer as { status?: string }).status)
        .catch((error: { code: string; name: string }) => `${error.name} ${error.code}`);
      codes.push(`${what}: ${String(said)}`);
    };
    await ask('spawn', () => session.spawn('true'));
    await ask('snapshot', () => session.task(ends).snapshot());
    await ask('kill', () => session.task(bound).kill({ graceMs: 1_000 }));
    await ask('tasks', () => session.tasks());
    // The poll looks at bonds and at shims meanwhile.
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    return codes;
  }, ids);
  assert.deepEqual(refusals, [
    'spawn: OutliveError SPAWN_FAILED',
    'snapshot: running',
    'kill: killed',
    'tasks: OutliveError READ_FAILED',
  ]);
  const after = await agent.run(
    async ({ session, fs, kept }, [ends = '', bound = '', path = '']) => {
      for (const descriptor of kept.open as number[]) fs.closeSync(descriptor);
      const running = session.task(ends).snapshot().status;
      fs.writeFileSync(path, '');
      const { exitCode } = await session.task(ends).wait();
      const next = await session.run('exit 4');
      return {
        running,
        exitCode,
        next: next.snapshot.exitCode,
        killed: session.task(bound).snapshot().status,
      };
    },
    [...ids, go],
  );
  assert.deepEqual(after, { running: 'running', exitCode: 3, next: 4, killed: 'killed' });
});
