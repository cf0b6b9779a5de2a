import type { OptionNames } from '../../errors/check-options.ts';
import { bounds, defaults } from '../../model/limits.ts';
import type { Stream } from '../../tasklog/output.ts';
import { checkAbortSignal, checkBytes, checkFlag, checkNumber, checkStream } from '../session/validate.ts';
import type { Feed } from './match-feed.ts';

/** How matches are handed out. */
export interface MatchOptions {
  /** Lines around each match that come with it, on each side, up to 100. @default 0 */
  readonly contextLines?: number;
  /**
   * Matches handed out a second (and as many at once after a rest); of the others the newest is handed out
   * when its time has come, with the number of those before it. `null`: no limit. @default 10
   */
  readonly maxPerSecond?: number | null;
  /** `false`: end when all that is there now was searched. @default true */
  readonly wait?: boolean;
  /** Ends the iteration without an error. */
  readonly abortSignal?: AbortSignal;
}

/** The options of {@link MatchOptions}. */
export const matchOptionNames: OptionNames<MatchOptions> = {
  contextLines: true,
  maxPerSecond: true,
  wait: true,
  abortSignal: true,
};

/** How to watch a task. */
export interface WatchOptions extends MatchOptions {
  /** Byte of the output at which the search begins. @default 0 */
  readonly from?: number;
  /** @default 'stdout', which holds both unless the task keeps them apart */
  readonly stream?: Stream;
}

/** The options of {@link WatchOptions}. */
export const watchOptionNames: OptionNames<WatchOptions> = { ...matchOptionNames, from: true, stream: true };

/**
 * Checks the options for delivering matches.
 * @throws OutliveError `INVALID_ARGUMENT`.
 */
export function checkMatchOptions(
  options: MatchOptions,
): Pick<Feed, 'contextLines' | 'maxPerSecond' | 'wait' | 'abortSignal'> {
  const { contextLines = 0, maxPerSecond = defaults.maxMatchesPerSecond, wait = true } = options;
  checkNumber('contextLines', contextLines, 0, bounds.contextLines);
  return {
    contextLines: checkBytes('contextLines', contextLines, 0),
    maxPerSecond:
      maxPerSecond === null ? Number.POSITIVE_INFINITY : checkNumber('maxPerSecond', maxPerSecond, 0.001),
    wait: checkFlag('wait', wait),
    abortSignal: checkAbortSignal(options.abortSignal),
  };
}

/**
 * Checks which part of the output to watch.
 * @throws OutliveError `INVALID_ARGUMENT`.
 */
export function checkPlace(options: Pick<WatchOptions, 'from' | 'stream'>): Pick<Feed, 'from' | 'stream'> {
  return { from: checkBytes('from', options.from ?? 0, 0), stream: checkStream(options.stream ?? 'stdout') };
}
