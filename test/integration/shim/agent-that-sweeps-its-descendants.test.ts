import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { AgentScope } from '../../support/agent-types.ts';
import { Agent } from '../../support/agents.ts';
import { factOf } from '../../support/logs.ts';
import { untilStarted } from '../../support/ready.ts';
import { isLive, World, waitFor } from '../../support/world.ts';

/** How an agent ends what it thinks is its own; the last of it is the agent. Each is told which process it is. */
const sweeps: { how: string; sweep: (scope: AgentScope) => void }[] = [
  {
    how: 'all its descendants, found by their parents',
    sweep: ({ fs }) => {
      const parents = new Map<number, number>();
      for (const name of fs.readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
        try {
          const stat = fs.readFileSync(`/proc/${name}/stat`, 'latin1');
          parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
        } catch {
          // It has ended.
        }
      }
      const found = new Set([process.pid]);
      for (let before = 0; before < found.size; ) {
        before = found.size;
        for (const [pid, parent] of parents) if (found.has(parent)) found.add(pid);
      }
      found.delete(process.pid);
      for (const killSignal of ['SIGTERM', 'SIGKILL'] as const) {
        for (const pid of found) {
          try {
            process.kill(pid, killSignal);
          } catch {
            // It has ended.
          }
        }
      }
      process.kill(process.pid, 'SIGKILL');
    },
  },
  { how: 'its process group', sweep: () => process.kill(-process.pid, 'SIGKILL') },
  {
    how: 'its session',
    sweep: ({ fs }) => {
      for (const name of fs.readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
        try {
          const stat = fs.readFileSync(`/proc/${name}/stat`, 'latin1');
          const session = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3]);
          if (session === process.pid && Number(name) !== process.pid) process.kill(Number(name), 'SIGKILL');
        } catch {
          // It has ended.
        }
      }
      process.kill(process.pid, 'SIGKILL');
    },
  },
  {
    how: 'its children, by pkill',
    sweep: ({ childProcess }) => {
      childProcess.spawnSync('pkill', ['-KILL', '-P', String(process.pid)]);
      process.kill(process.pid, 'SIGKILL');
    },
  },
];

for (const { how, sweep } of sweeps) {
  test(`a task goes on when its agent kills ${how}`, async () => {
    await using world = new World();
    // The leader of a session, lest the test is among what it ends.
    await using agent = await Agent.start(world.dir, { before: ['setsid'] });
    const [bare = 0, ...ids] = await agent.run(async ({ session, childProcess }) => {
      const child = childProcess.spawn('sleep', ['300'], { stdio: 'ignore' });
      const tasks = [await session.spawn('sleep 300'), await session.spawn('sleep 300 & wait')];
      return [child.pid ?? 0, ...tasks.map(({ id }) => id)];
    });
    const [taskIds, pids] = [ids as string[], [] as number[]];
    await untilStarted(world, ...taskIds);
    for (const id of taskIds) {
      const { pid, shimPid } = factOf(world.logOf(id), 'started');
      pids.push(pid, shimPid);
      const parent = readFileSync(`/proc/${shimPid}/stat`, 'latin1').split(') ')[1]?.split(' ')[1];
      assert.notEqual(Number(parent), agent.pid, 'a shim is not the agent’s child');
    }
    await agent.run(sweep).catch(() => undefined);
    await waitFor(() => !isLive(bare as number), 'what was the agent’s own to be gone');
    assert.deepEqual(pids.filter(isLive), pids);
    const session = await world.session();
    for (const id of taskIds) {
      assert.equal(session.task(id).snapshot().status, 'running');
      assert.equal((await session.task(id).kill({ graceMs: 100 })).status, 'killed');
    }
  });
}

test('a task goes on when its agent kills all its descendants right after the spawn', async () => {
  await using world = new World();
  await using agent = await Agent.start(world.dir, { before: ['setsid'] });
  const ids = await agent.run(async ({ session, childProcess, kept }) => {
    const tasks: string[] = [];
    kept.tasks = tasks;
    for (let round = 0; round < 10; round += 1) {
      tasks.push((await session.spawn('sleep 300')).id);
      // The answer is there: nothing of it is a child of this process any more.
      childProcess.spawnSync('pkill', ['-KILL', '-P', String(process.pid), 'outlive']);
    }
    return tasks;
  });
  await agent.crash();
  await untilStarted(world, ...ids);
  const session = await world.session();
  for (const id of ids) assert.equal(session.task(id).snapshot().status, 'running');
  await session.shutdown({ graceMs: 100 });
});
