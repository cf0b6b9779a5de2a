import type { StoredMessage } from '../../../src/fleet/coordinator/fold.ts';
import type { Assignment } from '../../../src/fleet/wire/assignment.ts';
import { aSpec } from './client.ts';

const aTask = 'bgb-0000000000aa';

/** An assignment, with what a test says of it. */
export function anAssignment(said: Partial<Assignment> = {}): Assignment {
  return {
    ...{ v: 1, host: 'h1', task: aTask, attempt: 1, state: 'assigned', spec: aSpec() },
    ...{ placement: { host: null, labels: {} }, request: 'r', client: 'c', startBy: null, redispatch: 0 },
    ...{ at: 1000, by: 'coordinator', localId: null, end: null, reason: null },
    ...said,
  };
}

/** A message that a coordinator wrote, conditional on another one. */
export function written(seq: number, after: number, assignment: Assignment): StoredMessage {
  return { seq, after, assignment, isWarranted: () => true };
}

/** A message that a host wrote. */
export function claim(seq: number, assignment: Assignment, isWarranted = true): StoredMessage {
  return { seq, after: null, assignment: { ...assignment, by: 'host' }, isWarranted: () => isWarranted };
}
