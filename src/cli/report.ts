import { OutliveError, systemCode } from '../errors/error.ts';
import { statusOfError } from './exit-status.ts';
import type { Io } from './io.ts';

/**
 * Says on stderr what went wrong: one line, with `--json` one object. A message never holds a line break of its own.
 * @returns the exit status that stands for it.
 */
export function report(io: Io, error: unknown): number {
  const code = error instanceof OutliveError ? error.code : (systemCode(error) ?? 'INTERNAL');
  const message = (error instanceof Error ? error.message : String(error)).replace(/\s*\n\s*/g, ' ');
  if (io.json) process.stderr.write(`${JSON.stringify({ error: { code, message } })}\n`);
  else io.note(message);
  return statusOfError(error);
}
