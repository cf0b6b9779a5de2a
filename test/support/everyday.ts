import assert from 'node:assert/strict';
import type { AgentScope } from './agent-types.ts';
import type { Agent } from './agents.ts';
import { fixture, type World, waitFor } from './world.ts';

/** What {@link checkEveryday} runs in the agent: what came of each task, and what of it was left. */
const everyday = async ({ session, childProcess }: AgentScope, stubborn: string): Promise<unknown[][]> => {
  const pause = (): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, 10));
  const all: unknown[][] = [];
  const note = ({ status, exitCode, leftovers }: Awaited<ReturnType<typeof session.tasks>>[number]): void => {
    all.push([status, exitCode, leftovers.map(({ command }) => command)]);
  };
  const spawn = async (...how: Parameters<typeof session.spawn>): ReturnType<typeof session.spawn> => {
    const task = await session.spawn(...how);
    if (how[0].includes('ready')) while (!(await task.tail()).text.includes('ready')) await pause();
    return task;
  };
  note(await (await spawn('echo out; exit 3')).wait());
  note(await (await spawn('kill -KILL $$')).wait());
  note(
    await (
      await spawn("trap 'exit 4' TERM; echo ready; setsid sleep 300 & while :; do sleep 0.05; done")
    ).kill(),
  );
  note(await (await spawn(`true ready; ${stubborn}`, { graceMs: 50 })).kill());
  const leaves = await spawn('setsid sleep 300 & sleep 0.2; exit 5');
  note(await leaves.wait());
  note(await leaves.kill({ graceMs: 50 }));
  note(
    await (await spawn('setsid sleep 300 & sleep 0.2; exit 6', { leftovers: 'kill', graceMs: 50 })).wait(),
  );
  note(await (await spawn('setsid sleep 0.3 & exit 7', { leftovers: 'wait' })).wait());
  note(await (await spawn('sleep 300', { timeoutMs: 500 })).wait());
  note(await (await spawn('yes', { maxOutputBytes: 100_000, graceMs: 50 })).wait());
  const bound = childProcess.spawn('sleep', ['300'], { stdio: 'ignore' });
  const task = await spawn('echo ready; sleep 300', { bindTo: { pid: bound.pid ?? 0 } });
  bound.kill('SIGKILL');
  note(await task.wait());
  return all;
};

/**
 * What everybody expects of tasks, wherever an agent runs: ends and how they came, stops, leftovers and limits.
 * @param names whether processes can be looked at there, so that leftovers have names.
 */
export async function checkEveryday(world: World, agent: Agent, names = true): Promise<void> {
  const found = await agent.run(everyday, fixture('ignores-sigterm-tree.sh'));
  const expected = [
    ['failed', 3, []],
    ['failed', 137, []],
    ['killed', 4, []],
    ['killed', 137, []],
    ['failed', 5, names ? ['sleep 300'] : []],
    ['failed', 5, []],
    ['failed', 6, []],
    ['failed', 7, []],
    ['timed_out', 124, []],
    ['killed', 143, []],
    ['killed', 143, []],
  ];
  assert.deepEqual(found, expected);
  await waitFor(() => world.pids().length === 0, 'all processes of tasks to be gone');
}
