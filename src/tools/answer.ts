import { OutliveError } from '../errors/error.ts';
import { visibleLines } from '../util/visible.ts';
import type { Riding } from './delivery/connection.ts';
import type { RidingLines } from './delivery/watched-lines.ts';
import type { RemoteRiding } from './fleet/remote-delivery.ts';
import { sayRemoteEnd } from './fleet/remote-text.ts';
import { sayCompletion, sayEnds, sayLines } from './text/present.ts';
import type { ToolAnswer } from './tool.ts';

/** What rides on an answer: completions, how many more there are, and lines that are watched for. */
export interface Riders extends Pick<Riding, 'found' | 'left' | 'notes'> {
  readonly lines: RidingLines;
  /** Of tasks on other hosts. @default none */
  readonly remote?: RemoteRiding;
}

/** What an answer tells beside what it was asked for, a text for each kind. */
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
 * Our own failure as an answer, which a model can read.
 * @throws the error when it is another one, which is none of the model's business.
 */
export function failure(error: unknown): ToolAnswer {
  if (!(error instanceof OutliveError)) throw error;
  const text = `${error.code}: ${visibleLines(error.message)}`;
  return { text, structured: {}, isError: true, tells: [] };
}
