import { checkBytes, checkNumber } from '../engine/checks.ts';
import { canListPorts, type ListeningPort } from '../engine/ports.ts';
import { OutliveError, shown } from '../errors/error.ts';
import { bounds } from '../model/limits.ts';
import type { PatternMatch } from '../model/line-search.ts';
import { checkPattern, type Pattern, type PatternSource } from '../model/pattern.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import type { Stream } from '../tasklog/output.ts';

/** What to wait for: whichever comes first. The end of the task always ends the wait. */
export interface WaitForOptions {
  /** Says that the end is waited for; it ends the wait in any case. */
  readonly exit?: boolean;
  /** Wait for a line of output in which this stands, also one that was written before the call. */
  readonly pattern?: Pattern;
  /** Wait until a process of the task takes TCP connections at this port; `true`: at any. */
  readonly port?: number | true;
  /** Wait until the task has written nothing for so long, from its last write or its start on. */
  readonly idleMs?: number;
  /** Byte of the output at which the search for the pattern begins. @default 0 */
  readonly from?: number;
  /** Where the pattern is looked for. @default 'stdout', which holds both unless the task keeps them apart */
  readonly stream?: Stream;
  /** Wait at most so long. @default no limit */
  readonly timeoutMs?: number;
  /** Whether the end, if it is what is reported, counts as the delivery of the completion. @default true */
  readonly ack?: boolean;
  /** Ends the waiting with the signal's reason as error; the task goes on. */
  readonly abortSignal?: AbortSignal;
}

/** What ended a wait. */
export type WaitForCause = 'exit' | 'pattern' | 'port' | 'idle' | 'timeout';

/** What a wait ended with. */
export interface WaitForResult {
  readonly cause: WaitForCause;
  /** The task then. Its status may be final although the cause is another. */
  readonly snapshot: TaskSnapshot;
  /** What was found, when the cause is `pattern`. */
  readonly match: PatternMatch | null;
  /** Who listens, when the cause is `port`. */
  readonly port: ListeningPort | null;
  /** For how long the task had written nothing, in milliseconds, when the cause is `idle`. */
  readonly idleMs: number | null;
}

/** The options, found valid, with every default filled in; null for what is not waited for. */
export interface WaitForRequest {
  readonly pattern: PatternSource | null;
  readonly port: number | true | null;
  readonly idleMs: number | null;
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
    from: checkBytes('from', options.from ?? 0, 0),
    stream: checkStream(stream),
    timeoutMs: duration('timeoutMs', timeoutMs),
    ack: options.ack ?? true,
    abortSignal: options.abortSignal,
  };
}

/**
 * Checks the name of a stream.
 * @throws OutliveError `INVALID_ARGUMENT`.
 */
export function checkStream(stream: unknown): Stream {
  if (stream === 'stdout' || stream === 'stderr') return stream;
  throw new OutliveError(
    'INVALID_ARGUMENT',
    `expected stream to be "stdout" or "stderr"; found ${shown(stream)}.`,
  );
}

function checkPort(port: unknown): number | true {
  if (Number.isInteger(port) && Number(port) >= 1 && Number(port) <= 65_535) return Number(port);
  if (port === true && canListPorts()) return true;
  throw new OutliveError(
    'INVALID_ARGUMENT',
    port === true
      ? 'expected a system that lists who listens at which port, for port: true; found none here. Name the port.'
      : `expected port to be a whole number from 1 to 65535, or true for any; found ${shown(port)}.`,
  );
}
