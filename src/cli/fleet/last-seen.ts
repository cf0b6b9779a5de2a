import { OutliveError } from '../../errors/error.ts';
import type { LastSeen } from '../../fleet/wire/operations.ts';
import { shownBytes, shownDuration } from '../present/values.ts';

/** The end of an output that goes with an error, since the host does not answer; `null`: none does. */
export function lastSeenIn(error: unknown): LastSeen | null {
  if (!(error instanceof OutliveError) || error.code !== 'HOST_UNREACHABLE') return null;
  return (error.details as { readonly lastSeen?: LastSeen }).lastSeen ?? null;
}

/** What it is, in words. */
export function lastSeenNote(host: string, { tail, outputBytes, agoMs }: LastSeen): string {
  const part = `the last ${shownBytes(Buffer.byteLength(tail))} of ${shownBytes(outputBytes)}`;
  const when = agoMs === null ? 'when the task ended' : `${shownDuration(agoMs)} ago`;
  return `${host} does not answer: this is ${part} of the output, as the host told it ${when}`;
}
