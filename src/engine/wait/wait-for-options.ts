import type { OptionNames } from '../../errors/check-options.ts';
import { OutliveError, shown } from '../../errors/error.ts';
import { bounds } from '../../model/limits.ts';
import type { PatternMatch } from '../../model/line-search.ts';
import { checkPattern, type Pattern, type PatternSource } from '../../model/pattern.ts';
import type { TaskSnapshot } from '../../model/snapshot.ts';
import type { Stream } from '../../tasklog/output.ts';
import type { ScreenMatch } from '../../terminal/screen-search.ts';
import type { InputWait } from '../interact/input-wait.ts';
import type { ListeningPort } from '../processes/listening.ts';
import { checkAbortSignal, checkBytes, checkFlag, checkNumber, checkStream } from '../session/validate.ts';
import { canListPorts } from './ports.ts';

/** What to wait for: whichever comes first. The end of the task always ends the wait. */
export interface WaitForOptions {
  /** Says that the end is waited for; it ends the wait in any case. */
  readonly exit?: boolean;
  /** Wait for a line of output in which this stands, also one that was written before the call. */
  readonly pattern?: Pattern;
  /** Wait until a process of the task takes TCP connections at this port; `true`: at any. */
  readonly port?: number | true;
  /** Wait until the task has written nothing for this long, since its last write or its start. */
  readonly idleMs?: number;
  /** Wait until a line on the screen of the task's terminal matches. */
  readonly screen?: Pattern;
  /**
   * Wait until the task waits for input in its terminal, as far as that can be told: a password (`certain`: the terminal reads
   * lines and shows nothing), or anything else (`likely`: who is in the foreground sleeps, and nothing was written for 300 ms).
   */
  readonly input?: boolean;
  /** Byte of the output at which the search for the pattern begins. @default 0 */
  readonly from?: number;
  /** The stream in which to search for the pattern. @default 'stdout', which holds both unless the task keeps them apart */
  readonly stream?: Stream;
  /** How long to wait at most. @default no limit */
  readonly timeoutMs?: number;
  /** Whether the end, if it is what is reported, counts as the delivery of the completion. @default true */
  readonly ack?: boolean;
  /** Ends the wait with the signal's reason as error; the task goes on. */
  readonly abortSignal?: AbortSignal;
}

/** The options of {@link WaitForOptions}. */
export const waitForOptionNames: OptionNames<WaitForOptions> = {
  exit: true,
  pattern: true,
  port: true,
  idleMs: true,
  screen: true,
  input: true,
  from: true,
  stream: true,
  timeoutMs: true,
  ack: true,
  abortSignal: true,
};

/** What ended a wait. */
export type WaitForCause = WaitForResult['cause'];

/** What a wait ended with: a union by `cause`, so that a `switch` over it tells what else is known. */
export type WaitForResult = WaitForCommon & WaitForFinding;

/** What was found; the rest is `null`. */
export type WaitForFinding =
  /** The task has ended. */
  | (Found<'exit'> & Nothing<'match' | 'port' | 'idleMs' | 'screen' | 'input'>)
  /** A line of the output has it. */
  | (Found<'pattern'> & { readonly match: PatternMatch } & Nothing<'port' | 'idleMs' | 'screen' | 'input'>)
  /** Who listens. */
  | (Found<'port'> & { readonly port: ListeningPort } & Nothing<'match' | 'idleMs' | 'screen' | 'input'>)
  /** For how long the task had written nothing, in milliseconds. */
  | (Found<'idle'> & { readonly idleMs: number } & Nothing<'match' | 'port' | 'screen' | 'input'>)
  /** Where on the screen it stands. */
  | (Found<'screen'> & { readonly screen: ScreenMatch } & Nothing<'match' | 'port' | 'idleMs' | 'input'>)
  /** What it waits for. */
  | (Found<'input'> & { readonly input: InputWait } & Nothing<'match' | 'port' | 'idleMs' | 'screen'>)
  /** The time was up. */
  | (Found<'timeout'> & Nothing<'match' | 'port' | 'idleMs' | 'screen' | 'input'>);

interface Found<Cause extends string> {
  readonly cause: Cause;
}

type Nothing<Key extends string> = { readonly [Name in Key]: null };

/** For findings: what else could have been found. */
export const nothingElse: Nothing<'match' | 'port' | 'idleMs' | 'screen' | 'input'> = {
  match: null,
  port: null,
  idleMs: null,
  screen: null,
  input: null,
};

interface WaitForCommon {
  /** The task then. Its status may be final although the cause is another. */
  readonly snapshot: TaskSnapshot;
  /**
   * The offset at which the file of the output begins: not 0 where somebody made it shorter. What was written before may
   * never have been searched. 0 where only the end was waited for, since nothing was looked at then.
   */
  readonly beginsAt: number;
}

/** The options, found valid, with every default filled in; null for what is not waited for. */
export interface WaitForRequest {
  readonly pattern: PatternSource | null;
  readonly port: number | true | null;
  readonly idleMs: number | null;
  readonly screen: PatternSource | null;
  readonly input: boolean;
  readonly from: number;
  readonly stream: Stream;
  readonly timeoutMs: number | null;
  readonly ack: boolean;
  readonly abortSignal: AbortSignal | undefined;
}

/**
 * Checks what a caller wants to wait for.
 * @throws OutliveError `INVALID_ARGUMENT`.
 */
export function checkWaitFor(options: WaitForOptions): WaitForRequest {
  const { pattern, port, idleMs, timeoutMs, stream = 'stdout' } = options;
  const duration = (name: string, value: number | undefined): number | null =>
    value === undefined ? null : checkNumber(name, value, 0, bounds.durationMs);
  return {
    pattern: pattern === undefined ? null : checkPattern(pattern),
    port: port === undefined ? null : checkPort(port),
    idleMs: duration('idleMs', idleMs),
    screen: options.screen === undefined ? null : checkPattern(options.screen),
    input: checkFlag('input', options.input ?? false),
    from: checkBytes('from', options.from ?? 0, 0),
    stream: checkStream(stream),
    timeoutMs: duration('timeoutMs', timeoutMs),
    ack: checkFlag('ack', options.ack ?? true),
    abortSignal: checkAbortSignal(options.abortSignal),
  };
}

function checkPort(port: unknown): number | true {
  if (Number.isInteger(port) && Number(port) >= 1 && Number(port) <= 65_535) return Number(port);
  if (port === true && canListPorts()) return true;
  throw new OutliveError(
    'INVALID_ARGUMENT',
    port === true
      ? 'expected a system that lists which process listens at which port, for port: true; found none here. Name the port.'
      : `expected port to be a whole number from 1 to 65535, or true for any; found ${shown(port)}.`,
  );
}
