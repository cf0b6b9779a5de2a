import { constants } from 'node:os';
import { OutliveError, shown } from '../errors/error.ts';

/**
 * Checks the name of a signal.
 * @throws OutliveError `INVALID_ARGUMENT`.
 */
export function checkSignal(name: unknown): NodeJS.Signals {
  if (typeof name === 'string' && Object.hasOwn(constants.signals, name)) return name as NodeJS.Signals;
  throw new OutliveError(
    'INVALID_ARGUMENT',
    `expected killSignal to be the name of a signal, such as SIGTERM or SIGINT; found ${shown(name)}.`,
  );
}
