import { onForgotten } from '../engine/session/forgotten.ts';
import { watchIdOf } from '../engine/watches/watch-id.ts';
import { OutliveError, shown } from '../errors/error.ts';
import { visible } from '../util/visible.ts';
import { exitStatus } from './exit-status.ts';
import type { Io } from './io.ts';
import {
  type CommonOptions,
  findOne,
  handleOf,
  sessionIdOf,
  withStoreToRead,
  withStoreToWait,
} from './open.ts';
import { jsonLine } from './present/task.ts';

interface WatchVerbOptions extends CommonOptions {
  readonly once?: boolean;
  readonly remove?: boolean;
}

/** `outlive watch`: from now on the lines of a task in which a pattern is found are pending for its session. */
export async function watch(
  io: Io,
  [reference = '', pattern = '']: readonly string[],
  options: WatchVerbOptions,
): Promise<number> {
  const { once = false, remove = false } = options;
  if (once && remove)
    throw new OutliveError(
      'USAGE',
      'expected --once or --remove; found both. --remove ends either kind of watch. See: outlive watch --help',
    );
  // Where there is no such task, nothing is made.
  const found = await withStoreToRead(options, async (store) => findOne(io, store, reference, options));
  const ended = await recorded(found.taskId, async () =>
    withStoreToWait(options, async (store) => {
      const task = await handleOf(store, found);
      if (remove) return await endAll(task, pattern);
      await task.addWatch({ regexp: pattern }, { id: watchIdOf(pattern, once), once });
      return 0;
    }),
  );
  const { taskId, sessionId } = found;
  if (io.json) await io.out(jsonLine({ taskId, sessionId, pattern, once, watching: !remove }));
  else if (remove)
    await io.out(
      `${taskId} ${ended > 0 ? 'is no longer watched' : 'was not watched'} for: ${visible(pattern)}\n`,
    );
  else {
    const which = once ? 'the first line' : 'each line';
    const where = sessionId === sessionIdOf({}) ? [] : ['-s', sessionId];
    await io.out(
      `${taskId} is watched for: ${visible(pattern)}\n  ${which} with it is pending for session ${shown(sessionId)}, until: ${io.hint('completions', ...where, '--ack')}\n`,
    );
  }
  return exitStatus.ok;
}

/** Does work, and fails if the disk did not take what it recorded of a task. @throws OutliveError `STORE_UNWRITABLE`. */
async function recorded<T>(taskId: string, work: () => Promise<T>): Promise<T> {
  const refusals: string[] = [];
  const stop = onForgotten(({ reason }) => refusals.push(reason));
  const result = await work().finally(stop);
  if (refusals.length === 0) return result;
  throw new OutliveError(
    'STORE_UNWRITABLE',
    `expected to write to the record of ${taskId}; found ${refusals[0]}. Its watches have not changed. Free some space or grant permission, and try again.`,
  );
}

/** Ends both kinds of watch for a pattern. @returns how many there were. */
async function endAll(task: { removeWatch(id: string): Promise<boolean> }, pattern: string): Promise<number> {
  let ended = 0;
  for (const once of [false, true]) if (await task.removeWatch(watchIdOf(pattern, once))) ended += 1;
  return ended;
}
