import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Task } from '../../../src/index.ts';
import { Agent } from '../../support/agents.ts';
import { FailingDisk } from '../../support/failing-disk.ts';
import { cookieOf, isShim } from '../../support/processes.ts';
import { fixture, processes, World, waitFor } from '../../support/world.ts';

/** Every process that shows one of those tasks as its own. */
function processesOf(ids: readonly string[]): number[] {
  return processes().filter((pid) => ids.includes(cookieOf(pid)?.split('.')[0] ?? ''));
}

function commandsOf(ids: readonly string[]): number[] {
  return processesOf(ids).filter((pid) => !isShim(pid));
}

/** Shims do not end before they have said what became of their commands, and that disk takes nothing any more. */
function endShims(ids: readonly string[]): void {
  for (const pid of processesOf(ids)) process.kill(pid, 'SIGKILL');
}

/** Spawns in an agent, and waits there until all commands run: the disk tells it nothing later. */
async function spawnAll(agent: Agent, specs: [string, object][]): Promise<string[]> {
  return await agent.run(async ({ session, kept }, all) => {
    const tasks = await Promise.all(all.map(([command, options]) => session.spawn(command, options)));
    kept.tasks = tasks;
    for (const task of tasks) {
      while (!(await task.tail()).text.includes('ready')) await new Promise((next) => setTimeout(next, 10));
    }
    return tasks.map(({ id }) => id);
  }, specs);
}

const stubborn = fixture('ignores-sigterm-tree.sh');

test('timeout and bindTo hold on a disk that fails, although nothing can be recorded', async () => {
  await using world = new World();
  using disk = new FailingDisk(world);
  await using agent = await Agent.start(`${disk.dir}/store`);
  const ids = await spawnAll(agent, [
    ['echo ready; sleep 300', { timeoutMs: 2_000 }],
    [`${stubborn}`, { timeoutMs: 2_000, graceMs: 100 }],
    ['echo ready; setsid sleep 300 & sleep 300', { bindTo: { pid: agent.pid }, graceMs: 100 }],
  ]);
  try {
    disk.fail();
    const [timed, bound] = [ids.slice(0, 2), ids.slice(2)];
    await waitFor(() => commandsOf(timed).length === 0, 'the timeouts');
    assert.ok(commandsOf(bound).length > 1, 'what is bound to the agent runs');
    await agent.crash();
    await waitFor(() => commandsOf(bound).length === 0, 'the end of what was bound to the agent');
  } finally {
    endShims(ids);
  }
});

test('kill() ends what this process has spawned on a disk that fails', async () => {
  await using world = new World();
  using disk = new FailingDisk(world);
  await using agent = await Agent.start(`${disk.dir}/store`);
  const ids = await spawnAll(agent, [
    ['echo ready; sleep 300', {}],
    [stubborn, {}],
    ['echo ready; setsid sleep 300 & sleep 300', {}],
  ]);
  try {
    disk.fail();
    const said = await agent.run(async ({ kept }) => {
      const kill = async (task: Task): Promise<string> =>
        await task
          .kill({ graceMs: 200 })
          .then(({ status }) => status)
          .catch((error: { code: string }) => error.code);
      return await Promise.all((kept.tasks as Task[]).map(kill));
    });
    // Nothing can be said of a record that nobody can read, and what was asked for was done.
    assert.deepEqual(said, ['READ_FAILED', 'READ_FAILED', 'READ_FAILED']);
    assert.deepEqual(commandsOf(ids), []);
  } finally {
    endShims(ids);
  }
});
