import { constants } from 'node:os';
import type { StopRequest } from '../engine/end/stop-request.ts';
import { checkFlag, checkNumber } from '../engine/session/validate.ts';
import { checkOptions, type OptionNames } from '../errors/check-options.ts';
import { OutliveError, shown } from '../errors/error.ts';
import { bounds } from '../model/limits.ts';

/** How to stop a task by a handle that belongs to no session. */
export interface StopOptions {
  /** Between the first signal and SIGKILL, in milliseconds. @default what was said at spawn, else 3000 */
  readonly graceMs?: number;
  /** The first signal. SIGKILL skips the grace. @default 'SIGTERM' */
  readonly killSignal?: NodeJS.Signals;
}

/** How to stop a task of a session. */
export interface KillOptions extends StopOptions {
  /**
   * Whether the answer, if it says that the task has ended, counts as the delivery of the completion, so that it is
   * delivered nowhere else.
   * @default true
   */
  readonly ack?: boolean;
}

const stopOptionNames: OptionNames<StopOptions> = { graceMs: true, killSignal: true };

const killOptionNames: OptionNames<KillOptions> = { ...stopOptionNames, ack: true };

/**
 * What is asked of the engine, and whether the answer acknowledges.
 * @throws OutliveError `INVALID_ARGUMENT`.
 */
export function checkKill(options: KillOptions): { readonly request: StopRequest; readonly ack: boolean } {
  const { ack = true, ...rest } = checkOptions('task.kill()', options, killOptionNames);
  return { request: requestOf(rest), ack: checkFlag('ack', ack) };
}

/**
 * What is asked of the engine by a handle without a session.
 * @throws OutliveError `INVALID_ARGUMENT`.
 */
export function checkStop(options: StopOptions): StopRequest {
  return requestOf(checkOptions('store.task().kill()', options, stopOptionNames));
}

function requestOf(options: StopOptions): StopRequest {
  const killSignal = checkSignal(options.killSignal ?? 'SIGTERM');
  const { graceMs = null } = options;
  if (graceMs !== null) checkNumber('graceMs', graceMs, 0, bounds.durationMs);
  return { cause: 'kill', graceMs, killSignal };
}

function checkSignal(name: unknown): NodeJS.Signals {
  if (typeof name === 'string' && Object.hasOwn(constants.signals, name)) return name as NodeJS.Signals;
  throw new OutliveError(
    'INVALID_ARGUMENT',
    `expected killSignal to be the name of a signal, such as SIGTERM or SIGINT; found ${shown(name)}.`,
  );
}
