import type { Assignment } from '../wire/assignment.ts';
import { type Held, mayHaveStarted, type TaskEntry, wasAccepted } from './fold.ts';

/** What a decision needs to know about hosts. */
export interface HostsView {
  /** The host has been silent for so long that it counts as lost. */
  readonly isLost: (host: string) => boolean;
  /** Tasks that are assigned there and not accepted must move to other hosts. */
  readonly isDraining: (host: string) => boolean;
  /** A host that may take the task; `null`: none may now. */
  readonly place: (assignment: Assignment) => string | null;
}

/** What a coordinator writes next about a task, and under which condition. */
export interface Decision {
  readonly assignment: Assignment;
  readonly after: number;
  /** `task`: no later message on any subject of the task; `attempt`: no later message on the subject of the attempt. */
  readonly scope: 'task' | 'attempt';
}

/** A next attempt must begin within this time. So an old message that somebody publishes again starts nothing. */
const nextWithinMs = 24 * 3_600_000;

/**
 * Decides what to write about a task, if anything. It is a pure function: two coordinators that know the same decide
 * the same, and the condition of the write lets only one of them win.
 * @param now epoch milliseconds.
 */
export function decide(entry: TaskEntry, held: Held, hosts: HostsView, now: number): Decision | null {
  const { assignment } = held;
  switch (assignment.state) {
    case 'assigned':
      return ofAssigned(held, hosts, now);
    case 'accepted':
      return hosts.isLost(assignment.host) ? ofLost(held, now) : null;
    case 'revoked':
      return ofRevoked(entry, held, hosts, now);
    case 'unknown':
    case 'ended':
    case 'delivered':
      return null;
  }
}

/** The write that revokes an attempt that nobody has accepted, or cancels the next attempt of a revoked one. */
export function cancel(entry: TaskEntry, held: Held, reason: string, now: number): Decision {
  return held.assignment.state === 'revoked'
    ? { ...arrow(held, { state: 'revoked', reason, next: null }, now), after: entry.seq, scope: 'task' }
    : arrow(held, { state: 'revoked', reason, next: null, accepted: wasAccepted(held.assignment) }, now);
}

/**
 * The write that notes that a client stops an accepted attempt, so that the task never starts again. `null`: it would
 * not start again anyway, or this is noted already.
 */
export function noteKill(held: Held, now: number): Decision | null {
  const { redispatch, killed = false } = held.assignment;
  return redispatch === 0 || killed ? null : arrow(held, { killed: true }, now);
}

/** The write that gives up an attempt on a lost host; `null` if the attempt is over. */
export function forgetting(held: Held, now: number): Decision | null {
  const { state } = held.assignment;
  if (state !== 'assigned' && state !== 'accepted' && state !== 'unknown') return null;
  const accepted = wasAccepted(held.assignment);
  return arrow(held, { state: 'revoked', reason: 'its host was given up', next: null, accepted }, now);
}

/** The write that says that the consumer has the end. */
export function deliver(entry: TaskEntry, held: Held, now: number): Decision {
  return {
    ...arrow(held, { state: 'delivered' }, now),
    ...(held.assignment.state === 'revoked' ? { after: entry.seq, scope: 'task' } : {}),
  };
}

function ofAssigned(held: Held, hosts: HostsView, now: number): Decision | null {
  const { host, startBy, placement } = held.assignment;
  if (isPast(startBy, now))
    return arrow(
      held,
      { state: 'revoked', reason: 'no host accepted it in time', next: null, accepted: false },
      now,
    );
  const isLost = hosts.isLost(host);
  const mayMove = placement.host === null;
  if (!isLost && !(mayMove && hosts.isDraining(host))) return null;
  const next = mayMove ? held.assignment.attempt + 1 : null;
  const reason = isLost ? 'its host is lost' : 'its host is being drained';
  return arrow(held, { state: 'revoked', reason, next, accepted: false }, now);
}

function ofLost(held: Held, now: number): Decision {
  const { attempt, redispatch, placement, killed = false } = held.assignment;
  if (killed)
    return arrow(
      held,
      { state: 'unknown', reason: 'its host was lost while the task was being stopped' },
      now,
    );
  if (redispatch === 0 || placement.host !== null)
    return arrow(held, { state: 'unknown', reason: 'its host is lost' }, now);
  const change = { state: 'revoked', reason: 'its host is lost', next: attempt + 1, accepted: true } as const;
  return arrow(held, change, now);
}

function ofRevoked(entry: TaskEntry, held: Held, hosts: HostsView, now: number): Decision | null {
  const { assignment } = held;
  const next = assignment.next ?? null;
  if (next === null) return null;
  if (isPast(assignment.startBy, now) && assignment.accepted !== true)
    return cancel(entry, held, 'no other host could take it in time', now);
  if (now - assignment.at > nextWithinMs)
    return cancel(entry, held, 'no other host could take it in a day', now);
  const host = hosts.place(assignment);
  return host === null
    ? null
    : { assignment: following(assignment, host, next, now), after: entry.seq, scope: 'task' };
}

function following(before: Assignment, host: string, attempt: number, now: number): Assignment {
  const { v, task, spec, placement, request, client, startBy, redispatch } = before;
  // The task has started once, so the time limit for its start no longer applies.
  const isRestart = before.accepted === true;
  return {
    ...{ v, host, task, attempt, state: 'assigned', spec, placement, request, client },
    startBy: isRestart ? null : startBy,
    redispatch: isRestart ? redispatch - 1 : redispatch,
    ...{ at: now, by: 'coordinator', localId: null, end: null, reason: null },
    acceptedBefore: mayHaveStarted(before),
  };
}

function arrow(held: Held, change: Partial<Assignment>, now: number): Decision {
  const assignment: Assignment = { ...held.assignment, ...change, at: now, by: 'coordinator' };
  return { assignment, after: held.seq, scope: 'attempt' };
}

function isPast(startBy: number | null, now: number): boolean {
  return startBy !== null && now > startBy;
}
