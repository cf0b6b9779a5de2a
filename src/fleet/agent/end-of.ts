import type { StoreTask } from '../../api/store-task.ts';
import { type EndedSnapshot, overSince } from '../../model/snapshot.ts';
import type { Assignment, RemoteEnd } from '../wire/assignment.ts';

/** The most bytes of output in an end. */
export const tailBytes = 8 * 1_024;

/** The most bytes in a message of a stream, and the space for everything but the assignment. */
const mostBytes = 128 * 1_024;
const besideBytes = 1_024;

/** The end of a local task, as the fleet gets it. */
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

/** Cuts an ended assignment so that it fits into a message: in JSON a control character takes six bytes. */
export function fitting(assignment: Assignment): Assignment {
  const isTooLarge = (one: Assignment) => Buffer.byteLength(JSON.stringify(one)) > mostBytes - besideBytes;
  const { end, spec } = assignment;
  if (end === null || !isTooLarge(assignment)) return assignment;
  const withoutTail = { ...assignment, end: { ...end, tail: '' } };
  if (!isTooLarge(withoutTail)) return withoutTail;
  return { ...withoutTail, spec: { ...spec, env: {}, labels: {} } };
}
