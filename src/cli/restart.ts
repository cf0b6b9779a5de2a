import type { Task } from '../api/task.ts';
import type { RestartOptions } from '../engine/spawn/restart.ts';
import { OutliveError } from '../errors/error.ts';
import { noteUnheld } from './hints.ts';
import type { Io } from './io.ts';
import { type CommonOptions, findOne, handleOf, isOwn, withStore } from './open.ts';
import { printStarted } from './present/started.ts';
import { refuseInSandbox } from './sandbox.ts';
import { hasStdin } from './stdin.ts';
import { untilStarted } from './until-started.ts';

interface RestartVerbOptions extends CommonOptions {
  readonly env?: Record<string, string>;
  readonly grace?: number;
  readonly anyway?: boolean;
}

/** `outlive restart`: runs a task again. */
export async function restart(
  io: Io,
  [reference = '']: readonly string[],
  options: RestartVerbOptions,
): Promise<number> {
  // What runs outside of the sandbox is not to be stopped for what would end with it.
  if (options.anyway !== true) refuseInSandbox();
  return await withStore(options, async (store) => {
    const found = findOne(io, store, reference, options);
    const task = await handleOf(store, found);
    const old = {
      ack: isOwn(found, options),
      ...(found.stdin === 'inherit' && hasStdin() && { stdin: found.stdin }),
    };
    const begun = await restarted(task, {
      ...old,
      ...(options.env !== undefined && { env: options.env }),
      ...(options.grace !== undefined && { graceMs: options.grace }),
    });
    const snapshot = await untilStarted(begun);
    const [first, ...others] = begun.replaced;
    if (begun.reused) io.note(`another process has just restarted ${reference}: this is its new task`);
    else if (first !== found.taskId)
      io.note(`another task had already replaced it: outlive restarted ${[first, ...others].join(', ')}`);
    noteUnheld(io, snapshot);
    return await printStarted(io, snapshot);
  });
}

async function restarted(task: Task, options: RestartOptions): Promise<Task> {
  try {
    return await task.restart(options);
  } catch (error) {
    if (!(error instanceof OutliveError) || error.code !== 'INVALID_ENV') throw error;
    const { missing = [] } = error.details;
    if (missing.length === 0) throw error;
    const asked = missing.map((name) => `-e ${name}=...`).join(' ');
    throw new OutliveError(
      'INVALID_ENV',
      `expected the variables that ${task.id} was run with; found no value of ${missing.join(', ')}, because outlive never records values. Give them again: outlive restart ${task.id} ${asked}`,
      { details: { missing } },
    );
  }
}
