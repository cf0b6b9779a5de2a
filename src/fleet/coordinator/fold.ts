import { type Assignment, mayBecome } from '../wire/assignment.ts';
import { canonical } from '../wire/signed.ts';

/** A message of the stream of assignments, with what the reader has found out of its writer. */
export interface StoredMessage {
  readonly seq: number;
  /** The sequence number that the coordinator's write was conditional on; `null`: a host wrote it. */
  readonly after: number | null;
  readonly assignment: Assignment;
  /** Whether the coordinator has once assigned just that. Costs a signature to find out. */
  readonly isWarranted: () => boolean;
}

/** What is known of an attempt. */
export interface Held {
  /** The last message on its subject, believed or not: the next write there is conditional on it. */
  readonly seq: number;
  /** What is believed. */
  readonly assignment: Assignment;
}

/** What is known of a task. */
export interface TaskEntry {
  readonly task: string;
  /** The last message on any subject of the task. */
  readonly seq: number;
  /** Its attempts, by the host that they were assigned to. A host that gets it again has the last one only. */
  readonly attempts: ReadonlyMap<string, Held>;
}

/** What became of a message: it was taken, was known already, or is not believed, for a reason. */
export type Verdict = 'taken' | 'known' | { readonly refused: string };

/**
 * What is known of a task after a message. What a coordinator wrote under its condition is believed; what a host wrote is
 * a claim, and is believed where the state allows it. Of a claim only the state, the local id and the end are taken.
 * @param entry `undefined`: nothing is known of the task.
 */
export function fold(
  entry: TaskEntry | undefined,
  message: StoredMessage,
): { readonly entry: TaskEntry | undefined; readonly verdict: Verdict } {
  const { seq, assignment } = message;
  const held = entry?.attempts.get(assignment.host);
  if (held !== undefined && seq <= held.seq) return { entry, verdict: 'known' };
  const believed = message.after === null ? claimed(held, message) : written(entry, held, message);
  if ('refused' in believed) {
    // The next write is still conditional on it.
    const attempts = new Map(entry?.attempts);
    if (held !== undefined) attempts.set(assignment.host, { ...held, seq });
    return { entry: entry && { ...entry, seq: Math.max(entry.seq, seq), attempts }, verdict: believed };
  }
  const attempts = new Map(entry?.attempts).set(assignment.host, { seq, assignment: believed });
  return {
    entry: { task: assignment.task, seq: Math.max(entry?.seq ?? 0, seq), attempts },
    verdict: 'taken',
  };
}

/** The attempt that counts: the one with the highest number, and of two with one number that which was accepted. */
export function currentOf(entry: TaskEntry): Held {
  const [first, ...others] = entry.attempts.values();
  if (first === undefined) throw new Error('a task without an attempt');
  return others.reduce((best, one) => (rankOf(one) > rankOf(best) ? one : best), first);
}

/** Whether an attempt was accepted at some time. */
export function wasAccepted({ state, accepted }: Assignment): boolean {
  return state === 'accepted' || state === 'ended' || state === 'unknown' || accepted === true;
}

/** Whether the task may have started by this attempt or an earlier one. */
export function mayHaveStarted(assignment: Assignment): boolean {
  return wasAccepted(assignment) || assignment.acceptedBefore === true;
}

/**
 * Whether an attempt is no longer its host's: it was revoked, or another attempt has taken its place there.
 * @param now the last that was assigned of the task to this host.
 */
export function isFenced(now: Assignment, attempt: number): boolean {
  const { state, end } = now;
  const wasRevoked = state === 'revoked' || (state === 'delivered' && end === null);
  return now.attempt > attempt || (now.attempt === attempt && wasRevoked);
}

/** Whether nothing more can happen to the task, except that its consumer acknowledges it. */
export function isOver({ state, next }: Assignment): boolean {
  return state === 'ended' || state === 'delivered' || (state === 'revoked' && (next ?? null) === null);
}

function rankOf({ assignment }: Held): number {
  return assignment.attempt + (wasAccepted(assignment) ? 0.5 : 0);
}

function written(
  entry: TaskEntry | undefined,
  held: Held | undefined,
  { after, assignment }: StoredMessage,
): Assignment | { refused: string } {
  // An old message of the coordinator that somebody publishes again has another one before it.
  const isFresh = entry === undefined || after === entry.seq || after === held?.seq;
  return isFresh ? assignment : { refused: 'an old message of the coordinator, published again' };
}

function claimed(held: Held | undefined, message: StoredMessage): Assignment | { refused: string } {
  const claim = message.assignment;
  if (claim.by !== 'host')
    return { refused: 'a message in the name of the coordinator, without its signature' };
  if (claim.state === 'ended' && claim.end === null) return { refused: 'an end without the end' };
  if (held === undefined) return reasserted(message);
  const { assignment } = held;
  if (claim.attempt !== assignment.attempt)
    return { refused: `attempt ${claim.attempt}, which is not this one` };
  if (commandOf(claim) !== commandOf(assignment)) return { refused: 'another command' };
  if (!mayBecome(assignment.state, claim.state, 'host'))
    return { refused: `${claim.state}, of one that is ${assignment.state}` };
  return { ...assignment, ...told(claim) };
}

/**
 * What a host says of an attempt whose assignment is no longer stored: the stream was lost, or the host has overwritten
 * it.
 */
function reasserted({ assignment, isWarranted }: StoredMessage): Assignment | { refused: string } {
  if (assignment.state !== 'accepted' && assignment.state !== 'ended')
    return { refused: `${assignment.state}, of one that nobody has assigned` };
  if (!isWarranted()) return { refused: 'one that nobody has assigned' };
  // Whether it was started anew meanwhile is not known, so that it never is.
  return { ...assignment, ...told(assignment), redispatch: 0 };
}

/** A host may cut the rest, so that an end fits into its message. */
function commandOf({ spec: { command, session } }: Assignment): string {
  return canonical({ command, session });
}

function told({ state, at, epoch = null, localId, end, reason }: Assignment): Partial<Assignment> {
  const isEnd = state === 'ended';
  const facts = { end: isEnd ? end : null, reason: isEnd ? reason : null };
  return { state, at, by: 'host', epoch, localId, ...facts, accepted: true };
}
