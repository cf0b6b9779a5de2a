import { endIdOf } from '../wire/assignment.ts';
import type { EndNotice } from '../wire/messages.ts';
import { sessionHashOf, streams, subjects, wireVersion } from '../wire/names.ts';
import type { Attempt } from './attempts.ts';
import { fitting } from './end-of.ts';
import type { Parts } from './parts.ts';
import { writeOf } from './starter.ts';

/** How many ends are published at a time. */
const mostAtOnce = 8;

/**
 * Publishes ends: to DONE, and then as the state of the assignment. It keeps an end until the consumer has acknowledged
 * it, and publishes it again if the servers may have lost it.
 */
export class Ends {
  readonly #parts: Parts;
  readonly #waiting = new Set<Attempt>();
  #working = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Publishes the end of an attempt: it is over, or the servers may not know that it is. */
  publish(attempt: Attempt): void {
    attempt.phase = 'over';
    // It is published as soon as it is known that no other machine reports it.
    if (attempt.isInherited) return;
    this.#waiting.add(attempt);
    if (this.#working >= mostAtOnce) return;
    this.#working += 1;
    this.#parts.inBackground('publishing ends', this.#work());
  }

  /** The connection broke, or the stream was created again. The server may have lost all its data. */
  publishAllAgain(): void {
    for (const attempt of this.#parts.attempts.in('told')) {
      // Either the end is stored there, or nothing about the attempt.
      attempt.isUnlisted = true;
      this.publish(attempt);
    }
  }

  /**
   * The consumer has the end. The agent forgets the attempt, at once or when its end is stored on the bus. The store
   * keeps the task like every other.
   */
  async acknowledge(attempt: Attempt): Promise<void> {
    const { local, records } = this.#parts;
    attempt.isAcknowledged = true;
    if (attempt.phase !== 'told') return;
    if (attempt.local !== null) {
      records.save(attempt, 'acknowledged');
      await local.find(attempt.local.taskId)?.ack();
    }
    this.#forget(attempt);
  }

  /** Forgets an attempt. Nobody needs to know how it ended. */
  async drop(attempt: Attempt): Promise<void> {
    this.#waiting.delete(attempt);
    if (attempt.local !== null) await this.#parts.local.find(attempt.local.taskId)?.ack();
    this.#forget(attempt);
  }

  #forget(attempt: Attempt): void {
    this.#parts.records.remove(attempt);
    this.#parts.attempts.remove(attempt);
  }

  async #work(): Promise<void> {
    try {
      for (const attempt of this.#waiting) {
        if (!this.#parts.isOpen()) return;
        this.#waiting.delete(attempt);
        await this.#tellOrReport(attempt);
      }
    } finally {
      this.#working -= 1;
    }
  }

  /** If an end cannot be published now, for example on a full disk, the others do not wait for it. */
  async #tellOrReport(attempt: Attempt): Promise<void> {
    try {
      await this.#tell(attempt);
    } catch (error) {
      this.#parts.report('publishing an end', error);
    }
  }

  async #tell(attempt: Attempt): Promise<void> {
    if (attempt.isUnlisted && isOfThisEra(attempt, this.#parts)) {
      // No data was lost, so the end has reached the servers. Its consumer has it, or will ask for it.
      attempt.phase = 'told';
      return;
    }
    // It is not known what the servers have. A write now could report an end to a consumer that had it long ago.
    if (attempt.assignment !== null && attempt.seq === 0 && !attempt.isUnlisted)
      return this.#parts.compareSoon();
    attempt.isBusy = true;
    try {
      if (await this.#publishNotice(attempt)) await this.#writeState(attempt);
    } finally {
      attempt.isBusy = false;
      this.#parts.attempts.changed(attempt);
    }
    if (attempt.isAcknowledged) await this.acknowledge(attempt);
  }

  async #publishNotice(attempt: Attempt): Promise<boolean> {
    const notice = this.#noticeOf(attempt);
    if (notice === null) return false;
    const { outcome } = await this.#parts.connection.write(
      {
        stream: streams.ends,
        subject: subjects.end(sessionHashOf(notice.session), notice.host, notice.task),
        body: notice,
        id: endIdOf({ ...notice, ...(attempt.assignment?.nonce && { nonce: attempt.assignment.nonce }) }),
        // The server forgets ids after a while, so the write has a condition too. A second attempt on one host has
        // none, because the agent does not know what is stored.
        after: attempt.attempt === 1 ? 0 : null,
      },
      () => this.#goesOn(attempt),
    );
    return outcome !== 'unanswered';
  }

  async #writeState(attempt: Attempt): Promise<void> {
    const { assignment, end, reason, local } = attempt;
    if (assignment === null) {
      // The host has lost the assignment. If the coordinator has none either, nothing but the notice can be stored.
      if (attempt.isUnlisted) attempt.phase = 'told';
      else this.#parts.compareSoon();
      return;
    }
    const ended = fitting({
      ...assignment,
      state: 'ended',
      by: 'host',
      at: Date.now(),
      localId: local?.taskId ?? null,
      end,
      reason,
    });
    const after = attempt.isUnlisted ? 0 : attempt.seq;
    const written = await this.#parts.connection.write(writeOf(ended, after), () => this.#goesOn(attempt));
    if (written.outcome === 'stored') {
      attempt.seq = written.seq;
      attempt.assignment = ended;
      attempt.phase = 'told';
    } else if (written.outcome === 'lost') {
      // The subject has a message although the coordinator no longer lists the attempt. So that message is an end.
      if (attempt.isUnlisted) attempt.phase = 'told';
      else this.#parts.compareSoon();
    }
  }

  #goesOn(attempt: Attempt): boolean {
    return this.#parts.isOpen() && !attempt.isFenced;
  }

  #noticeOf({ task, attempt, assignment, local, end, reason }: Attempt): EndNotice | null {
    const session = assignment?.spec.session ?? local?.sessionId;
    if (end === null || session === undefined) return null;
    const { name = null } = assignment?.spec ?? {};
    const client = assignment?.client ?? null;
    const localId = local?.taskId ?? null;
    const { host } = this.#parts;
    const notice: EndNotice = {
      v: wireVersion,
      host,
      task,
      attempt,
      session,
      name,
      client,
      localId,
      end,
      reason,
    };
    return notice;
  }
}

/** Whether the coordinator's stream is the one in which an attempt was assigned, so that none of its data was lost. */
export function isOfThisEra({ assignment }: Attempt, { era }: Parts): boolean {
  return assignment?.era !== undefined && assignment.era === era();
}
