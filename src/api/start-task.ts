import type { SessionContext } from '../engine/session/context.ts';
import { checkFlag } from '../engine/session/validate.ts';
import { claimAndSpawn } from '../engine/spawn/claim-and-spawn.ts';
import { type Command, checkSpawn } from '../engine/spawn/spawn-request.ts';
import { checkOptions } from '../errors/check-options.ts';
import { closed } from '../errors/error.ts';
import type { Starter } from '../model/starter.ts';
import { ScopedTask } from './scoped-task.ts';
import { Task } from './task.ts';
import { type ScopedSpawnOptions, scopedSpawnOptionNames } from './task-options.ts';

/**
 * Starts a command in the background.
 * @param starter which client is told of its end; null: the one that has the session.
 * @throws OutliveError as `session.spawn()` does.
 */
export async function startTask(
  context: SessionContext,
  command: Command,
  options: ScopedSpawnOptions,
  starter: Starter | null,
): Promise<Task> {
  if (context.closed) throw closed('session');
  const checked = checkOptions('session.spawn()', options, scopedSpawnOptionNames);
  const { stopAtEndOfScope = false, ...rest } = checked;
  checkFlag('stopAtEndOfScope', stopAtEndOfScope);
  const request = { ...checkSpawn(command, rest), starter };
  const { taskId, reused, replaced } = await claimAndSpawn(context, request);
  if (request.tty !== null) {
    const { followSoon } = await import('../engine/interact/screen.ts');
    followSoon(context, taskId);
  }
  return new (stopAtEndOfScope ? ScopedTask : Task)(context, taskId, { reused, replaced });
}
