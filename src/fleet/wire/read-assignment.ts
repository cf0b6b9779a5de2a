import {
  type Assignment,
  assignmentStates,
  type Placement,
  type RemoteEnd,
  type RemoteSpec,
} from './assignment.ts';
import { type Fields, wireFields } from './fields.ts';
import type { AttemptName, Lease, Numbered } from './messages.ts';
import { hostForm, taskForm } from './names.ts';
import { readSizeOrNull } from './terminal.ts';

/** The most characters of a command or a variable, and of an end's tail. */
const mostCommand = 128 * 1_024;
const mostTail = 64 * 1_024;

/** The most names in an object, such as variables or labels. */
const mostNames = 1_024;

/** The most attempts in a list that a host gets. */
const mostListed = 10_000;

/**
 * Reads and checks an assignment that came from outside.
 * @throws OutliveError `FLEET_FORGED` if it is not valid, or has another version.
 */
export function readAssignment(value: unknown): Assignment {
  const fields = wireFields(value, 'an assignment').versioned();
  const end = fields.innerOrNull('end');
  return {
    v: fields.whole('v'),
    host: fields.formed('host', hostForm),
    ...readAttemptName(value),
    state: fields.oneOf('state', assignmentStates),
    spec: readSpec(fields.raw('spec')),
    placement: readPlacement(fields.raw('placement')),
    request: fields.text('request'),
    client: fields.text('client'),
    startBy: fields.wholeOrNull('startBy'),
    redispatch: fields.whole('redispatch'),
    at: fields.whole('at'),
    by: fields.oneOf('by', ['coordinator', 'host']),
    ...(fields.has('nonce') && { nonce: fields.text('nonce', 64) }),
    ...(fields.has('era') && { era: fields.text('era', 64) }),
    epoch: fields.has('epoch') ? fields.textOrNull('epoch', 64) : null,
    localId: fields.textOrNull('localId', 64),
    end: end === null ? null : readEnd(end),
    reason: fields.textOrNull('reason', 4_096),
    ...(fields.has('accepted') && { accepted: fields.flag('accepted') }),
    ...(fields.has('killed') && { killed: fields.flag('killed') }),
    ...(fields.has('acceptedBefore') && { acceptedBefore: fields.flag('acceptedBefore') }),
    ...(fields.has('next') && { next: fields.wholeOrNull('next', { least: 2 }) }),
    ...(fields.has('warrant') && { warrant: fields.text('warrant', 100) }),
  };
}

/** Reads the id of a task and the number of an attempt. @throws OutliveError `FLEET_FORGED`. */
export function readAttemptName(value: unknown): AttemptName {
  const fields = wireFields(value, 'an attempt');
  return {
    task: fields.formed('task', taskForm),
    attempt: fields.whole('attempt', { least: 1, most: 1_000_000 }),
  };
}

/** Reads and checks the specification of a task. @throws OutliveError `FLEET_FORGED`. */
export function readSpec(value: unknown): RemoteSpec {
  const fields = wireFields(value, 'a spec');
  return {
    command: Array.isArray(fields.raw('command'))
      ? fields.texts('command', 10_000, mostCommand)
      : fields.text('command', mostCommand),
    session: fields.text('session'),
    name: fields.textOrNull('name'),
    labels: fields.record('labels', mostNames, 4_096),
    cwd: fields.textOrNull('cwd', 4_096),
    env: fields.record('env', mostNames, mostCommand),
    secrets: fields.record('secrets', mostNames, 256),
    timeoutMs: fields.wholeOrNull('timeoutMs'),
    stdin: fields.oneOf('stdin', ['none', 'open']),
    ...(fields.has('tty') && { tty: readSizeOrNull(fields, 'tty') }),
  };
}

/** Reads and checks a placement. @throws OutliveError `FLEET_FORGED`. */
export function readPlacement(value: unknown): Placement {
  const fields = wireFields(value, 'a placement');
  return {
    host: fields.textOrNull('host'),
    labels: fields.entries('labels', mostNames, (inner, label) => inner.textOrNull(label, 4_096)),
  };
}

/** Reads and checks the end of an attempt. @throws OutliveError `FLEET_FORGED`. */
export function readEnd(fields: Fields): RemoteEnd {
  return {
    status: fields.oneOf('status', ['completed', 'failed', 'killed', 'timed_out', 'lost']),
    exitCode: fields.wholeOrNull('exitCode', { least: -(2 ** 31), most: 2 ** 32 }),
    signal: fields.textOrNull('signal', 32),
    endedAt: fields.whole('endedAt'),
    tail: fields.text('tail', mostTail),
    outputBytes: fields.whole('outputBytes'),
  };
}

/**
 * Reads and checks the coordinator's answer to a heartbeat.
 * @throws OutliveError `FLEET_FORGED`.
 */
export function readLease(value: unknown): Lease {
  const fields = wireFields(value, 'a lease').versioned();
  const names = (name: string) => (fields.has(name) ? fields.list(name, mostListed, readAttemptName) : []);
  return {
    v: fields.whole('v'),
    host: fields.formed('host', hostForm),
    epoch: fields.text('epoch', 64),
    leaseMs: fields.whole('leaseMs', { least: 1, most: 3_600_000 }),
    cordoned: fields.flag('cordoned'),
    assignments: fields.list('assignments', mostListed, readNumbered),
    more: fields.has('more') && fields.flag('more'),
    ...(fields.has('era') && { era: fields.text('era', 64) }),
    ...(fields.has('soleMs') && { soleMs: fields.whole('soleMs') }),
    fenced: names('fenced'),
    acknowledged: names('acknowledged'),
  };
}

/** Reads and checks an assignment with the number of its message. @throws OutliveError `FLEET_FORGED`. */
export function readNumbered(value: unknown): Numbered {
  const fields = wireFields(value, 'an assignment with its number');
  return { seq: fields.whole('seq', { least: 1 }), assignment: readAssignment(fields.raw('assignment')) };
}
