import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { isSystemError, OutliveError, shown } from '../errors/error.ts';

/** A variable of the environment as the system has it. */
export interface VariableBytes {
  /** Its name as Node shows it. */
  readonly name: string;
  /** Name, equals sign and value. */
  readonly bytes: Buffer;
}

/** What Node shows in the place of bytes that are no UTF-8. */
const replacement = '\uFFFD';

/**
 * The variables of this process that are no UTF-8, and that nobody has changed since it started. Node shows other text in
 * their place, and would hand that on. A variable whose name is no UTF-8 is in no copy of `process.env`.
 * @param copy a copy of `process.env`.
 * @throws OutliveError `INVALID_ENV` where there may be some, and the system does not show their bytes.
 */
export function undecodedVariables(copy: NodeJS.ProcessEnv): VariableBytes[] {
  // Windows has text of another kind.
  if (process.platform === 'win32') return [];
  const names = Reflect.ownKeys(process.env).map(String);
  const suspects = names.filter((name) => name.includes(replacement) || copy[name]?.includes(replacement));
  if (suspects.length === 0) return [];
  const found = entries(suspects).filter((bytes) => !isUtf8(bytes));
  return found
    .map(variable)
    .filter(({ name, text }) => name.includes(replacement) || copy[name] === text.slice(name.length + 1));
}

function variable(bytes: Buffer): VariableBytes & { readonly text: string } {
  const text = bytes.toString('utf8');
  return { name: text.slice(0, text.indexOf('=')), text, bytes };
}

/** The entries with which this process was started. */
function entries(suspects: readonly string[]): Buffer[] {
  const block = startBlock(suspects);
  const found: Buffer[] = [];
  for (let at = 0; at < block.length; ) {
    const end = block.indexOf(0, at);
    const entry = block.subarray(at, end < 0 ? undefined : end);
    if (entry.includes('=')) found.push(entry);
    at += entry.length + 1;
  }
  return found;
}

function startBlock(suspects: readonly string[]): Buffer {
  try {
    return readFileSync('/proc/self/environ');
  } catch (error) {
    if (!isSystemError(error)) throw error;
    // Only Linux shows them.
    throw new OutliveError(
      'INVALID_ENV',
      `expected the environment to be UTF-8; found other bytes in ${suspects.map((name) => shown(name)).join(', ')}, which outlive cannot pass on. Give another value in the option env, or remove the variable there with null.`,
      { cause: error },
    );
  }
}
