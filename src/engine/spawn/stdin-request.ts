import { checkOptions, type OptionNames } from '../../errors/check-options.ts';
import { bounds } from '../../model/limits.ts';
import { type StdinWay, stdinWays, type TerminalSize } from '../../model/words.ts';
import { invalid } from '../session/validate.ts';

/** What the command of a task reads: see {@link SpawnOptions.stdin}. */
export type StdinOption = Exclude<StdinWay, 'data'> | { readonly data: string | Uint8Array };

const stdinDataNames: OptionNames<Exclude<StdinOption, string>> = { data: true };
const terminalSizeNames: OptionNames<TerminalSize> = { cols: true, rows: true };

/** The same, found valid. */
export type CheckedStdin = Exclude<StdinWay, 'data'> | { readonly data: Buffer };

/**
 * What the command reads.
 * @throws OutliveError `INVALID_ARGUMENT`.
 */
export function checkStdin(stdin: unknown, tty: TerminalSize | null): CheckedStdin {
  if (stdin === undefined) return tty === null ? 'none' : 'open';
  refuseOnWindows('stdin', stdin);
  if (typeof stdin === 'object' && stdin !== null && tty === null) {
    const { data } = checkOptions('stdin', stdin as { data: string | Uint8Array }, stdinDataNames);
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    if (!(bytes instanceof Uint8Array)) invalid('stdin.data', 'text or bytes', data);
    if (bytes.length > bounds.stdinBytes)
      invalid(
        'stdin.data',
        `at most ${bounds.stdinBytes} bytes; use a file for more, as in \`< file\``,
        `${bytes.length} bytes`,
      );
    return { data: Buffer.from(bytes) };
  }
  const ways = tty === null ? stdinWays : stdinWays.filter((way) => way.endsWith('open'));
  if (!(ways as readonly unknown[]).includes(stdin))
    invalid('stdin', `${ways.join(', ')}${tty === null ? ', or { data }' : ' with a tty'}`, stdin);
  return stdin as Exclude<StdinWay, 'data'>;
}

/** A character may be two columns wide. */
const leastSide: TerminalSize = { cols: 2, rows: 1 };

/**
 * The size of a terminal.
 * @throws OutliveError `INVALID_ARGUMENT`.
 */
export function checkSize(name: string, size: unknown): TerminalSize {
  if (name === 'tty') refuseOnWindows(name, size);
  const { cols, rows } = checkOptions(name, size as TerminalSize, terminalSizeNames);
  for (const [side, value] of Object.entries({ cols, rows }))
    if (
      !Number.isSafeInteger(value) ||
      value < leastSide[side as keyof TerminalSize] ||
      value > bounds.terminalSide
    )
      invalid(
        `${name}.${side}`,
        `a whole number from ${leastSide[side as keyof TerminalSize]} to ${bounds.terminalSide}`,
        value,
      );
  return { cols, rows };
}

function refuseOnWindows(name: string, value: unknown): void {
  if (process.platform === 'win32' && value !== 'none')
    invalid(name, 'nothing on Windows, where the shim cannot pass on input yet', value);
}

/** Programs in a terminal ask it for its size, and these would tell them another one. */
export function beInTerminal(environment: NodeJS.ProcessEnv, env: Readonly<Record<string, unknown>>): void {
  for (const name of ['COLUMNS', 'LINES']) if (!Object.hasOwn(env, name)) delete environment[name];
  if (!Object.hasOwn(env, 'TERM')) environment.TERM = 'xterm-256color';
}
