import type { SpawnOptions, StoreOptions } from '../../src/index.ts';
import { Agent } from './agents.ts';
import { commandLineOf } from './processes.ts';
import { untilStarted } from './ready.ts';
import { isLive, type World, waitFor } from './world.ts';

const mark = 'outlive sentinel';

/** The keepers of a world's stores: Node processes, without their sentinels. */
export function nodeKeepers(world: World): number[] {
  return world.keepers().filter((pid) => {
    // Read once: a process that ends meanwhile has no command line.
    const line = commandLine(pid);
    return line.includes('/bin/keeper.js') && !line.includes(mark);
  });
}

/** The sentinels of a world's stores. */
export function sentinels(world: World): number[] {
  return world.keepers().filter(isSentinel);
}

/** Waits for the one keeper of a world's store, which works when it has been there for a moment. */
export async function untilKept(world: World, except: readonly number[] = []): Promise<number> {
  let found: number[] = [];
  await waitFor(() => {
    found = nodeKeepers(world).filter((pid) => !except.includes(pid));
    return found.length === 1;
  }, 'a keeper');
  return found[0] ?? 0;
}

/** Spawns a task in an agent that is killed when the command runs. */
export async function orphanTask(
  world: World,
  command: string,
  options: SpawnOptions = {},
  store: StoreOptions = {},
): Promise<string> {
  await using agent = await Agent.start(world.dir, { store });
  const taskId = await agent.run(
    async ({ session }, asked) => (await session.spawn(asked.command, asked.options)).id,
    { command, options },
  );
  await untilStarted(world, taskId);
  await agent.crash();
  return taskId;
}

/** Ends a process at once, and waits until it is gone. */
export async function killNow(pid: number): Promise<void> {
  process.kill(pid, 'SIGKILL');
  await waitFor(() => !isLive(pid), `${pid} to be gone`);
}

function isSentinel(pid: number): boolean {
  return commandLine(pid).includes(mark);
}

function commandLine(pid: number): string {
  return commandLineOf(pid)?.replaceAll('\\', '/') ?? '';
}
