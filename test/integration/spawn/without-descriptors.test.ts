import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Agent } from '../../support/agents.ts';
import { untilStarted } from '../../support/ready.ts';
import { quote, World } from '../../support/world.ts';

/** What an agent is asked while something ails it, with the answers: a value, or the code of the error. */
type Answers = readonly string[];

test('a process without a free descriptor still sees its tasks and those of others, and stops them', async () => {
  await using world = new World();
  const { ids, go } = await spawned(world);
  await using agent = await Agent.start(world.dir, {
    before: ['sh', '-c', 'ulimit -n 60; exec "$@"', 'sh'],
    node: ['--unhandled-rejections=strict'],
  });
  const own = await agent.run(async ({ session }) => {
    // Loaded while there is room: what Node could not load once, it never loads.
    await (await session.spawn('true', { timeoutMs: 50 })).wait();
    return (await session.spawn('trap "" TERM; sleep 300 & wait; wait')).id;
  });
  await untilStarted(world, own);
  const answers = await agent.run(
    async ({ session, fs, kept }, [ends = '', bound = '', spawnedHere = '']): Promise<Answers> => {
      const open: number[] = [];
      kept.open = open;
      try {
        for (;;) open.push(fs.openSync('/dev/null', 'r'));
      } catch {
        // That was the last.
      }
      const said: string[] = [];
      const ask = async (what: string, work: () => unknown): Promise<void> => {
        const answer = await Promise.resolve()
          .then(work)
          .catch((error: { code: string; name: string }) => `${error.name} ${error.code}`);
        said.push(`${what}: ${String(answer)}`);
      };
      await ask('spawn', () => session.spawn('true'));
      await ask('snapshot', () => session.task(ends).snapshot().status);
      await ask('kill', async () => (await session.task(spawnedHere).kill({ graceMs: 50 })).status);
      await ask('leftovers', () => session.task(spawnedHere).snapshot().leftovers.length);
      await ask('kill of another', async () => (await session.task(bound).kill()).status);
      await ask('tasks', async () => (await session.tasks()).length);
      return said;
    },
    [...ids, own],
  );
  assert.deepEqual(answers, [
    'spawn: OutliveError SPAWN_FAILED',
    'snapshot: running',
    'kill: killed',
    'leftovers: 0',
    'kill of another: killed',
    'tasks: 4',
  ]);
  assert.deepEqual(world.pidsOf(own), []);
  const after = await agent.run(
    async ({ session, fs, kept }, [ends = '', , path = '']) => {
      for (const descriptor of kept.open as number[]) fs.closeSync(descriptor);
      fs.writeFileSync(path, '');
      const { exitCode } = await session.task(ends).wait();
      return [exitCode, (await session.run('exit 4')).snapshot.exitCode];
    },
    [...ids, go],
  );
  assert.deepEqual(after, [3, 4]);
});

// As where others take each descriptor that comes free, on a machine that has none left.
test('a process that can open no file judges nothing, gets an error code, and goes on when it can', async () => {
  await using world = new World();
  const { ids, go } = await spawned(world);
  await using agent = await Agent.start(world.dir, { node: ['--unhandled-rejections=strict'] });
  const answers = await agent.run(
    async ({ session, fs, kept }, [ends = '', bound = '']): Promise<Answers> => {
      await (await session.spawn('true', { timeoutMs: 50 })).wait();
      const { syncBuiltinESMExports } = await import('node:module');
      const { openSync, readdirSync } = fs;
      const refuse = (): never => {
        const system = { code: 'ENFILE', syscall: 'open' };
        throw Object.assign(new Error('ENFILE: file table overflow'), system);
      };
      Object.assign(fs, { openSync: refuse, readdirSync: refuse });
      syncBuiltinESMExports();
      kept.allow = () => {
        Object.assign(fs, { openSync, readdirSync });
        syncBuiltinESMExports();
      };
      const said: string[] = [];
      const ask = async (what: string, work: () => unknown): Promise<void> => {
        const answer = await Promise.resolve()
          .then(work)
          .catch((error: { code: string; name: string }) => `${error.name} ${error.code}`);
        said.push(`${what}: ${String(answer)}`);
      };
      await ask('snapshot', () => session.task(ends).snapshot());
      await ask('kill', () => session.task(bound).kill());
      await ask('tasks', () => session.tasks());
      // The poll looks at the tasks meanwhile.
      await new Promise((resolve) => setTimeout(resolve, 2_500));
      return said;
    },
    ids,
  );
  assert.deepEqual(answers, [
    'snapshot: OutliveError READ_FAILED',
    'kill: OutliveError READ_FAILED',
    'tasks: OutliveError READ_FAILED',
  ]);
  const after = await agent.run(
    async ({ session, fs, kept }, [ends = '', bound = '', path = '']) => {
      (kept.allow as () => void)();
      const running = session.task(bound).snapshot().status;
      fs.writeFileSync(path, '');
      const { exitCode } = await session.task(ends).wait();
      const next = await session.run('exit 4');
      return {
        running,
        exitCode,
        next: next.snapshot.exitCode,
        killed: (await session.task(bound).kill()).status,
      };
    },
    [...ids, go],
  );
  assert.deepEqual(after, { running: 'running', exitCode: 3, next: 4, killed: 'killed' });
});

/** Another process spawns, so that the agent knows the tasks by looking at processes alone. */
async function spawned(world: World): Promise<{ ids: readonly string[]; go: string }> {
  const go = `${world.base}/go`;
  await using spawner = await Agent.start(world.dir);
  const ids = await spawner.run(
    async ({ session }, { command, pid }) => [
      (await session.spawn(command)).id,
      (await session.spawn('sleep 300', { bindTo: { pid } })).id,
    ],
    { command: `until [ -e ${quote(go)} ]; do sleep 0.02; done; exit 3`, pid: process.pid },
  );
  await untilStarted(world, ...ids);
  return { ids, go };
}
