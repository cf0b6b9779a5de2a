import { OutliveError, systemCode } from '../errors/error.ts';
import { statusOfError } from './exit-status.ts';
import { inFlags } from './flags.ts';
import { type Io, standardError } from './io.ts';
import { mappedStack } from './mapped-stack.ts';
import { jsonLine } from './present/task.ts';

/**
 * Says on stderr what went wrong: one line, with `--json` one object. A message never holds a line break of its own.
 * @returns the exit status that stands for it.
 */
export function report(io: Io, error: unknown): number {
  const code = error instanceof OutliveError ? error.code : (systemCode(error) ?? 'INTERNAL');
  const text = (error instanceof Error ? error.message : String(error)).replace(/\s*\n\s*/g, ' ');
  const message = error instanceof OutliveError ? inFlags(text) : text;
  // A defect of ours: what helps to find it comes along.
  const defect = error instanceof OutliveError ? error.cause : error;
  const stack = code === 'INTERNAL' && defect instanceof Error ? mappedStack(defect) : null;
  if (io.json) {
    const details = { ...(error instanceof OutliveError && error.details), ...(stack !== null && { stack }) };
    const more = Object.keys(details).length === 0 ? {} : { details };
    standardError().write(jsonLine({ error: { code, message, ...more } }));
  } else {
    io.note(message);
    if (stack !== null)
      void io.err(`outlive: this is a defect of outlive. Please report it with these lines:\n${stack}\n`);
  }
  return statusOfError(error);
}
