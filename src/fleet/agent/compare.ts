import type { AttemptName, Lease, Numbered } from '../wire/messages.ts';
import type { Attempt } from './attempts.ts';
import { type Ends, isOfThisEra } from './ends.ts';
import type { Parts } from './parts.ts';
import type { Running } from './running.ts';
import { acceptedBy, newMark, writeOf } from './starter.ts';

/** Compares what the host has with what the coordinator reports about it, and makes the two agree. */
export class Comparison {
  readonly #parts: Parts;
  readonly #running: Running;
  readonly #ends: Ends;

  constructor(parts: Parts, running: Running, ends: Ends) {
    this.#parts = parts;
    this.#running = running;
    this.#ends = ends;
  }

  /** Takes the answer to a heartbeat: offers, and attempts that no longer belong to the host. */
  takeNews({ assignments, fenced, acknowledged = [] }: Lease): void {
    const { attempts } = this.#parts;
    for (const name of fenced) this.fence(name);
    for (const name of acknowledged) this.acknowledge(name);
    const offers = assignments.filter(({ assignment }) => assignment.state === 'assigned');
    for (const numbered of offers) attempts.offer(numbered);
    const named = new Set(offers.map(({ assignment }) => nameOf(assignment)));
    for (const attempt of attempts.in('offered')) if (!named.has(nameOf(attempt))) attempts.remove(attempt);
    // The coordinator does not know that these attempts are here.
    for (const numbered of assignments.filter(({ assignment }) => assignment.state === 'unknown')) {
      const attempt = attempts.get(numbered.assignment);
      if (attempt !== undefined && !attempt.isBusy && !attempt.isFenced && numbered.seq > attempt.seq)
        this.#listed(attempt, numbered);
    }
  }

  /**
   * Takes the list: all attempts of this host that have not ended, as far as the coordinator knows.
   * @param askedAt the turn before the request. The list says nothing about later changes.
   */
  takeAll(lease: Lease, askedAt: number): void {
    const { attempts } = this.#parts;
    this.takeNews(lease);
    const listed = new Map(lease.assignments.map((one) => [nameOf(one.assignment), one]));
    for (const attempt of attempts) {
      if (attempt.isBusy || attempt.isFenced || attempt.changedAt > askedAt) continue;
      const found = listed.get(nameOf(attempt));
      if (found !== undefined && found.seq < attempt.seq) continue;
      if (found !== undefined) this.#listed(attempt, found);
      // An incomplete list says nothing about the attempts that it leaves out.
      else if (lease.more !== true) this.#unlisted(attempt);
    }
  }

  /** The attempt no longer belongs to the host. The agent stops its task, and does not report its end. */
  fence(name: AttemptName): void {
    const attempt = this.#parts.attempts.get(name);
    if (attempt === undefined) return;
    const isNew = !attempt.isFenced;
    attempt.isFenced = true;
    if (attempt.phase === 'running') this.#running.stop(attempt);
    else if (isNew && !attempt.isBusy) this.drop(attempt);
  }

  /** Drops an attempt. Nobody needs to know how it ends. */
  drop(attempt: Attempt): void {
    this.#parts.inBackground('releasing an attempt', this.#ends.drop(attempt));
  }

  /** Takes over inherited attempts when no other agent of this host seems to run. Then this agent reports them. */
  own(): void {
    const inherited = [...this.#parts.attempts].filter(({ isInherited }) => isInherited);
    if (inherited.length === 0 || !this.#parts.lease.isSole) return;
    for (const attempt of inherited) {
      attempt.isInherited = false;
      if (attempt.phase === 'over') this.#ends.publish(attempt);
    }
    this.#parts.compareSoon();
  }

  /** The consumer has the end of the attempt. @returns whether this agent has the end. */
  acknowledge(name: AttemptName): boolean {
    const attempt = this.#parts.attempts.get(name);
    if (attempt === undefined || attempt.end === null) return false;
    this.#parts.inBackground('acknowledging an end', this.#ends.acknowledge(attempt));
    return true;
  }

  #listed(attempt: Attempt, { seq, assignment }: Numbered): void {
    const { epoch, state } = assignment;
    const isOurs = attempt.epochs.includes(epoch ?? '');
    attempt.seq = seq;
    attempt.isUnlisted = false;
    // The coordinator knows the request best, and the agent knows best how far the attempt is.
    attempt.assignment = assignment;
    switch (attempt.phase) {
      case 'offered':
        if (state !== 'assigned') this.#parts.attempts.remove(attempt);
        return;
      case 'starting':
        if (state === 'assigned') attempt.phase = 'offered';
        else if (state === 'accepted' && isOurs) attempt.isWon = true;
        else if (state === 'unknown' && isOurs) this.#sayAgain(attempt);
        else this.drop(attempt);
        return;
      case 'running':
        if (state === 'unknown') this.#sayAgain(attempt);
        return;
      case 'over':
      case 'told':
        this.#ends.publish(attempt);
    }
  }

  #unlisted(attempt: Attempt): void {
    attempt.isUnlisted = true;
    switch (attempt.phase) {
      case 'offered':
        this.#parts.attempts.remove(attempt);
        return;
      case 'starting':
        this.drop(attempt);
        return;
      case 'running':
        attempt.seq = 0;
        // In the same era the coordinator gave it up so long ago that it has no record of it. Nobody waits for it.
        if (!isOfThisEra(attempt, this.#parts)) this.#sayAgain(attempt);
        return;
      case 'over':
        this.#ends.publish(attempt);
        return;
      case 'told':
    }
  }

  /** Reports again that the attempt is here. The coordinator gave it up, or the servers lost all their data. */
  #sayAgain(attempt: Attempt): void {
    this.#parts.inBackground('reporting again what runs', this.#acceptAgain(attempt));
  }

  async #acceptAgain(attempt: Attempt): Promise<void> {
    const { epoch, connection, lease, isOpen, records, compareSoon } = this.#parts;
    if (attempt.assignment === null || attempt.isInherited) return;
    attempt.isBusy = true;
    try {
      const mark = newMark(attempt, epoch);
      // Save this for a local task too. If that task never ran, only an agent that knows the mark may start it again.
      records.save(attempt, attempt.phase === 'starting' ? 'accepting' : 'started');
      const accepted = acceptedBy(attempt.assignment, mark, attempt.local?.taskId ?? null);
      const goesOn = (): boolean => isOpen() && lease.isValid && !attempt.isFenced;
      const written = await connection.write(writeOf(accepted, attempt.seq), goesOn);
      if (written.outcome === 'stored') {
        attempt.seq = written.seq;
        attempt.assignment = accepted;
        attempt.isWon = true;
        attempt.isUnlisted = false;
      } else if (written.outcome === 'unanswered' || attempt.seq > 0) compareSoon();
    } finally {
      attempt.isBusy = false;
      this.#parts.attempts.changed(attempt);
    }
  }
}

function nameOf({ task, attempt }: AttemptName): string {
  return `${task}.${attempt}`;
}
