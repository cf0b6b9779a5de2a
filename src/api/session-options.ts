import type { SessionLimits } from '../engine/session/context.ts';
import { checkNumber } from '../engine/session/validate.ts';
import { checkOptions, type OptionNames } from '../errors/check-options.ts';
import { bounds, defaults } from '../model/limits.ts';

/** How to open a session. */
export interface SessionOptions {
  /** Running tasks the session may have when this process spawns. @default 64 */
  readonly maxRunning?: number;
  /** How long a task of this session is kept after it has ended and was acknowledged; `null`: for ever. @default 7 days */
  readonly retentionMs?: number | null;
  /** Adopted tasks that have run longer than this are stopped; `null`: none. @default null */
  readonly staleAfterMs?: number | null;
  /** Bytes of output in snapshots and completions. @default 300 */
  readonly previewBytes?: number;
}

const sessionOptionNames: OptionNames<SessionOptions> = {
  maxRunning: true,
  retentionMs: true,
  staleAfterMs: true,
  previewBytes: true,
};

/**
 * The limits of a session that is opened with some options.
 * @throws OutliveError `INVALID_ARGUMENT`.
 */
export function checkLimits(options: SessionOptions): SessionLimits {
  const {
    maxRunning = defaults.maxRunning,
    retentionMs = defaults.retentionMs,
    staleAfterMs = null,
    previewBytes = defaults.previewBytes,
  } = checkOptions('store.session()', options, sessionOptionNames);
  const duration = (name: string, value: number | null): number | null =>
    value === null ? null : checkNumber(name, value, 0, bounds.durationMs);
  return {
    maxRunning: checkNumber('maxRunning', maxRunning, 1),
    retentionMs: duration('retentionMs', retentionMs),
    staleAfterMs: duration('staleAfterMs', staleAfterMs),
    previewBytes: checkNumber('previewBytes', previewBytes, 0, bounds.previewBytes),
  };
}
