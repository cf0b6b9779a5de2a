import fc from 'fast-check';
import { World } from '../world.ts';
import { anyStep } from './commands.ts';
import { Crew } from './crew.ts';
import type { History } from './history.ts';
import { checkEnd } from './quiet.ts';

/** Whatever some processes do to one store, and whichever of them die, the plain model holds. */
export function modelHolds(
  most: number,
  counted: (steps: number) => void,
): fc.IAsyncPropertyWithHooks<[Iterable<fc.AsyncCommand<History, Crew>>]> {
  const steps = fc.commands(anyStep(), { maxCommands: most, size: 'max', disableReplayLog: true });
  return fc.asyncProperty(steps, async (commands) => {
    await using world = new World();
    const crew = new Crew(world);
    const model: History = { tasks: [] };
    try {
      await fc.asyncModelRun(() => ({ model, real: crew }), commands);
      await checkEnd(model, crew);
    } finally {
      await crew.end();
      // What a task has left that was pruned since belongs to no record any more.
      for (const { taskId } of model.tasks) {
        if (taskId !== null) for (const pid of world.pidsOf(taskId)) process.kill(pid, 'SIGKILL');
      }
      counted(crew.steps);
    }
  });
}
