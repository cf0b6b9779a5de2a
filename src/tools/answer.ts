import { OutliveError } from '../errors/error.ts';
import { visibleLines } from '../util/visible.ts';
import type { Riding } from './delivery/connection.ts';
import type { RidingLines } from './delivery/watched-lines.ts';
import type { RemoteRiding } from './fleet/remote-delivery.ts';
import { sayRemoteEnd } from './fleet/remote-text.ts';
import { sayCompletion, sayEnds, sayLines } from './text/present.ts';
import type { ToolAnswer } from './tool.ts';

/** What an answer also carries: completions, how many more there are, and lines that watches have found. */
export interface Riders extends Pick<Riding, 'found' | 'left' | 'notes'> {
  readonly lines: RidingLines;
  /** Of tasks on other hosts. @default none */
  readonly remote?: RemoteRiding;
}

/** What an answer tells in addition to its own result, a text for each kind. */
export function sayRiders({ found, left, notes, lines, remote }: Riders): string[] {
  const ends = [...found.map(sayCompletion), ...(remote?.found.map(sayRemoteEnd) ?? [])];
  return [
    ...(ends.length > 0 ? [sayEnds(ends, left + (remote?.left ?? 0))] : []),
    ...notes,
    ...(remote?.notes ?? []),
    ...(lines.found.length > 0 ? [sayLines(lines)] : []),
  ];
}

/**
 * An error of outlive as an answer that a model can read.
 * @throws any other error: a model can do nothing about it.
 */
export function failure(error: unknown): ToolAnswer {
  if (!(error instanceof OutliveError)) throw error;
  const text = `${error.code}: ${visibleLines(error.message)}`;
  return { text, structured: {}, isError: true, tells: [] };
}
