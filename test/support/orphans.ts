import type { SpawnOptions } from '../../src/index.ts';
import { Agent } from './agents.ts';
import { untilStarted } from './ready.ts';
import type { World } from './world.ts';

/** For a process whose tasks are to have nobody at all: on Windows its keeper would come otherwise. */
export const withoutKeeper = { OUTLIVE_WITHOUT_KEEPER: '1' };

/** Spawns a task in an agent that is killed when the command runs. */
export async function orphanTask(
  world: World,
  command: string,
  options: SpawnOptions = {},
  env: NodeJS.ProcessEnv = {},
): Promise<string> {
  await using agent = await Agent.start(world.dir, { env });
  const taskId = await agent.run(
    async ({ session }, asked) => (await session.spawn(asked.command, asked.options)).id,
    { command, options },
  );
  await untilStarted(world, taskId);
  await agent.crash();
  return taskId;
}
