import { type Assignment, mayBecome } from '../wire/assignment.ts';
import { canonical } from '../wire/signed.ts';

/** A message of the stream of assignments, with what the reader knows about its writer. */
export interface StoredMessage {
  readonly seq: number;
  /** The sequence number that the coordinator's write was conditional on; `null`: a host wrote it. */
  readonly after: number | null;
  readonly assignment: Assignment;
  /** Whether the coordinator once assigned exactly this. Verifying the signature takes time. */
  readonly isWarranted: () => boolean;
}

/** What is known about an attempt. */
export interface Held {
  /** The last message on its subject, believed or not. The next write there must name it. */
  readonly seq: number;
  /** The state that the coordinator believes. */
  readonly assignment: Assignment;
}

/** What is known about a task. */
export interface TaskEntry {
  readonly task: string;
  /** The last message on any subject of the task. */
  readonly seq: number;
  /** Its attempts, by host. If a host gets the task again, only its last attempt is here. */
  readonly attempts: ReadonlyMap<string, Held>;
}

/** What happened to a message: it was taken, it was known already, or it was refused for a reason. */
export type Verdict = 'taken' | 'known' | { readonly refused: string };

/**
 * What is known about a task after a message. A coordinator's message is believed if its condition held. A host's
 * message is a claim: it is believed if the current state allows it, and only its state, local id and end are taken.
 * @param entry `undefined`: the task is unknown.
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
    // The next write must still name this message.
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

/** The current attempt: the one with the highest number. Of two with the same number, the accepted one. */
export function currentOf(entry: TaskEntry): Held {
  const [first, ...others] = entry.attempts.values();
  if (first === undefined) throw new Error('a task without an attempt');
  return others.reduce((best, one) => (rankOf(one) > rankOf(best) ? one : best), first);
}

/** Whether a host has ever accepted an attempt. */
export function wasAccepted({ state, accepted }: Assignment): boolean {
  return state === 'accepted' || state === 'ended' || state === 'unknown' || accepted === true;
}

/** Whether the task may have started by this attempt or an earlier one. */
export function mayHaveStarted(assignment: Assignment): boolean {
  return wasAccepted(assignment) || assignment.acceptedBefore === true;
}

/**
 * Whether an attempt no longer belongs to its host: it was revoked, or another attempt has taken its place there.
 * @param now the last attempt of the task that was assigned to this host.
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
  // If somebody publishes an old message of the coordinator again, it follows another message than the one it names.
  const isFresh = entry === undefined || after === entry.seq || after === held?.seq;
  return isFresh ? assignment : { refused: 'an old message of the coordinator, published again' };
}

function claimed(held: Held | undefined, message: StoredMessage): Assignment | { refused: string } {
  const claim = message.assignment;
  if (claim.by !== 'host')
    return { refused: 'a message in the name of the coordinator, without its signature' };
  if (claim.state === 'ended' && claim.end === null) return { refused: 'an ended attempt without its end' };
  if (held === undefined) return reasserted(message);
  const { assignment } = held;
  if (claim.attempt !== assignment.attempt)
    return { refused: `attempt ${claim.attempt}, which is not the current one` };
  if (commandOf(claim) !== commandOf(assignment)) return { refused: 'another command' };
  if (!mayBecome(assignment.state, claim.state, 'host'))
    return { refused: `${claim.state}, for an attempt that is ${assignment.state}` };
  return { ...assignment, ...told(claim) };
}

/**
 * What a host claims about an attempt, when the assignment is no longer stored: the stream was lost, or the host has
 * overwritten the assignment.
 */
function reasserted({ assignment, isWarranted }: StoredMessage): Assignment | { refused: string } {
  if (assignment.state !== 'accepted' && assignment.state !== 'ended')
    return { refused: `${assignment.state}, for an attempt that nobody has assigned` };
  if (!isWarranted()) return { refused: 'an attempt that nobody has assigned' };
  // Nobody knows whether it was started again in the meantime. So it never is from now on.
  return { ...assignment, ...told(assignment), redispatch: 0 };
}

/** A host may cut the other parts of the specification, so that an end fits into its message. */
function commandOf({ spec: { command, session } }: Assignment): string {
  return canonical({ command, session });
}

function told({ state, at, epoch = null, localId, end, reason }: Assignment): Partial<Assignment> {
  const isEnd = state === 'ended';
  const facts = { end: isEnd ? end : null, reason: isEnd ? reason : null };
  return { state, at, by: 'host', epoch, localId, ...facts, accepted: true };
}
