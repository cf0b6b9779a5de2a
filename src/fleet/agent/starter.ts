import { witnessed } from '../../engine/spawn/claim-witness.ts';
import { OutliveError } from '../../errors/error.ts';
import { expected, isExpected } from '../../errors/expected.ts';
import type { TaskSnapshot } from '../../model/snapshot.ts';
import { homeFolder } from '../../platform/home-folder.ts';
import { randomHex } from '../../util/crypto.ts';
import { type Assignment, messageIdOf, spawnKeyOf } from '../wire/assignment.ts';
import { streams, subjects } from '../wire/names.ts';
import type { Attempt } from './attempts.ts';
import { commandEnvironment } from './command-environment.ts';
import { endWithout } from './end-of.ts';
import type { Parts } from './parts.ts';
import { resolveSecrets } from './secrets.ts';

/** What happens to attempts after they have started, or could not. */
interface Next {
  /** There is a local task. */
  readonly started: (attempt: Attempt) => void;
  /** Nothing was started, and never will be. */
  readonly failed: (attempt: Attempt) => void;
  /** It no longer belongs to the host, and nothing is left to do for it. */
  readonly dropped: (attempt: Attempt) => void;
}

/** How many acceptances of an attempt are remembered. The agent makes a new one if the last was not stored. */
const mostMarks = 100;

/** After this error nothing was started, and a later try may succeed. */
const later = expected('CLOSED');

/**
 * Starts the attempts that are assigned to the host, each at most once. The order is: the lease is valid; a file says
 * that this agent is about to accept; our acceptance is stored; the lease is still valid; the local task is spawned
 * with the key of the attempt.
 */
export class Starter {
  readonly #parts: Parts;
  readonly #next: Next;
  /** The coordinator's clock minus this one's, in milliseconds. */
  clockOffsetMs = 0;

  constructor(parts: Parts, next: Next) {
    this.#parts = parts;
    this.#next = next;
  }

  /** Starts what may start now. */
  look(): void {
    const { attempts, lease, slots, inBackground } = this.#parts;
    if (!lease.mayStart || !this.#parts.isOpen() || !this.#isSole()) return;
    for (const attempt of attempts.in('starting'))
      if (attempt.isWon && !attempt.isBusy && !attempt.isInherited)
        inBackground(
          'starting a task of the fleet',
          this.#guarded(attempt, () => this.#spawn(attempt)),
        );
    for (const attempt of attempts.in('offered')) {
      if (!lease.mayAccept || attempts.in('starting', 'running').length >= slots) return;
      if (this.#isTooLate(attempt)) continue;
      inBackground(
        'accepting a task of the fleet',
        this.#guarded(attempt, () => this.#accept(attempt)),
      );
    }
  }

  /** Whether this agent still has its lock file. If somebody removed it, another agent may have started. */
  #isSole(): boolean {
    if (this.#parts.isSole()) return true;
    const error = new OutliveError(
      'FLEET_HOST',
      'expected to be the only host agent on this folder; found that somebody removed or replaced its lock file. This agent no longer starts tasks: restart it.',
    );
    this.#parts.report('starting a task of the fleet', error);
    return false;
  }

  /** Whether it is too late to accept an attempt. The coordinator will revoke it. */
  #isTooLate({ assignment }: Attempt): boolean {
    const startBy = assignment?.startBy ?? null;
    return startBy !== null && Date.now() + this.clockOffsetMs > startBy;
  }

  async #guarded(attempt: Attempt, work: () => Promise<void>): Promise<void> {
    attempt.isBusy = true;
    try {
      await work();
    } finally {
      attempt.isBusy = false;
      this.#parts.attempts.changed(attempt);
      if (attempt.isFenced && attempt.phase === 'starting') this.#next.dropped(attempt);
    }
  }

  async #accept(attempt: Attempt): Promise<void> {
    const { epoch, records, lease, connection, isSole, isOpen, compareSoon } = this.#parts;
    const { assignment } = attempt;
    if (assignment === null) throw new OutliveError('INTERNAL', 'expected an assignment; found none.');
    attempt.phase = 'starting';
    attempt.isWon = false;
    attempt.isDoubtful = false;
    const mark = newMark(attempt, epoch);
    try {
      records.save(attempt, 'accepting');
    } catch (error) {
      attempt.phase = 'offered';
      throw error;
    }
    const accepted = acceptedBy(assignment, mark, null);
    const goesOn = (): boolean => isOpen() && lease.mayStart && isSole() && !attempt.isFenced;
    const written = await connection.write(writeOf(accepted, attempt.seq), goesOn);
    // Without an answer the acceptance may still be stored. The coordinator knows.
    if (written.outcome !== 'stored') return compareSoon();
    attempt.seq = written.seq;
    attempt.assignment = accepted;
    attempt.isWon = true;
    await this.#spawn(attempt);
  }

  /** Spawns an attempt. The acceptance is stored, and an agent of this store wrote it. */
  async #spawn(attempt: Attempt): Promise<void> {
    const { local, lease, isSole, isOpen, records } = this.#parts;
    const { assignment } = attempt;
    if (assignment === null) throw new OutliveError('INTERNAL', 'expected an assignment; found none.');
    const { session: sessionId } = assignment.spec;
    if (attempt.isDoubtful)
      return this.#failed(
        attempt,
        'lost',
        'The agent of the host ended, or the machine was restarted or copied, just before the start of the task. Nobody knows whether the task ran, so it does not start again.',
      );
    const session = await local.hold(sessionId);
    try {
      const secrets = resolveSecrets(assignment.spec.secrets, this.#parts.secrets);
      const options = spawnOptions(assignment, secrets);
      // Nothing asynchronous may come between this check and the spawn.
      if (!lease.mayStart || !isSole() || !isOpen() || attempt.isFenced) return;
      if (attempt.isCancelled) return this.#failed(attempt, 'killed', 'It was killed before it started.');
      // A user may acknowledge and remove the task before the agent stores anything else about it.
      const note = (taskId: string): void => {
        records.save(Object.assign(attempt, { local: { sessionId, taskId } }), 'spawning');
      };
      const { id } = await witnessed(note, () => session.spawn(assignment.spec.command, options));
      // If a task had the key already, this stores it now.
      if (attempt.local === null) note(id);
      this.#started(attempt, { sessionId, taskId: id });
    } catch (error) {
      attempt.local = null;
      if (isExpected(error, later)) return;
      // A failed spawn may still have started a task. Then that task is the result of the attempt.
      const found = local.withKey(sessionId, spawnKeyOf(assignment));
      if (found !== null) this.#started(attempt, found);
      else this.#failed(attempt, 'failed', error instanceof Error ? error.message : String(error));
    } finally {
      await local.release(sessionId);
    }
  }

  #started(attempt: Attempt, { sessionId, taskId }: Pick<TaskSnapshot, 'sessionId' | 'taskId'>): void {
    attempt.local = { sessionId, taskId };
    attempt.phase = 'running';
    this.#next.started(attempt);
  }

  #failed(attempt: Attempt, status: 'failed' | 'killed' | 'lost', reason: string): void {
    attempt.end = endWithout(status);
    attempt.reason = reason.slice(0, 4_096);
    // Store this before reporting it, so that the next agent does not try again. Until it is stored, this one tries
    // again.
    this.#parts.records.save(attempt, 'failed');
    attempt.phase = 'over';
    this.#next.failed(attempt);
  }
}

/** Makes a name for the next acceptance, and remembers it in the attempt. */
export function newMark(attempt: Attempt, epoch: string): string {
  const mark = `${epoch}.${randomHex(8)}`;
  attempt.epochs = [...attempt.epochs, mark].slice(-mostMarks);
  return mark;
}

/** An assignment that this host has accepted. @param epoch the name of the acceptance. */
export function acceptedBy(assignment: Assignment, epoch: string, localId: string | null): Assignment {
  return {
    ...assignment,
    state: 'accepted',
    by: 'host',
    at: Date.now(),
    epoch,
    localId,
    end: null,
    reason: null,
  };
}

/** The write of a state of an assignment. @param after the sequence number of the message that it follows. */
export function writeOf(assignment: Assignment, after: number) {
  return {
    stream: streams.assignments,
    subject: subjects.assignment(assignment.host, assignment.task),
    body: assignment,
    id: messageIdOf(assignment, after),
    after,
  };
}

function spawnOptions(assignment: Assignment, secrets: Readonly<Record<string, string>>) {
  const { name, labels, cwd, timeoutMs, stdin, tty } = assignment.spec;
  return {
    key: spawnKeyOf(assignment),
    labels,
    cwd: cwd ?? homeFolder(),
    timeoutMs,
    stdin,
    env: commandEnvironment(assignment, secrets),
    ...(name !== null && { name }),
    ...(tty && { tty }),
  } as const;
}
