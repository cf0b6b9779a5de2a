import type { StoreTask } from '../../api/store-task.ts';
import { type EndedSnapshot, overSince } from '../../model/snapshot.ts';
import type { Assignment, RemoteEnd } from '../wire/assignment.ts';

/** Bytes of output that go with an end. */
export const tailBytes = 8 * 1_024;

/** Bytes of a message of a stream, and what a message has beside its assignment. */
const mostBytes = 128 * 1_024;
const besideBytes = 1_024;

/** The end of a local task, as the others hear of it. */
export async function endOf(task: StoreTask, snapshot: EndedSnapshot): Promise<RemoteEnd> {
  const { text } = await task.tail({ maxBytes: tailBytes });
  return {
    status: snapshot.status,
    exitCode: snapshot.exitCode,
    signal: snapshot.exitSignal,
    endedAt: Math.round(overSince(snapshot)),
    tail: text,
    outputBytes: snapshot.output.bytes,
  };
}

/** The end of an attempt without a task: it could not start, or its record was removed. */
export function endWithout(status: 'failed' | 'killed' | 'lost'): RemoteEnd {
  return { status, exitCode: null, signal: null, endedAt: Date.now(), tail: '', outputBytes: 0 };
}

/** An assignment that has ended, cut so that the stream takes it: control characters take six bytes each in there. */
export function fitting(assignment: Assignment): Assignment {
  const isTooLarge = (one: Assignment) => Buffer.byteLength(JSON.stringify(one)) > mostBytes - besideBytes;
  const { end, spec } = assignment;
  if (end === null || !isTooLarge(assignment)) return assignment;
  const withoutTail = { ...assignment, end: { ...end, tail: '' } };
  if (!isTooLarge(withoutTail)) return withoutTail;
  return { ...withoutTail, spec: { ...spec, env: {}, labels: {} } };
}
