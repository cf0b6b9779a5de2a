import type { Assignment, RemoteEnd } from '../wire/assignment.ts';
import type { AttemptName, Numbered } from '../wire/messages.ts';

/**
 * How far an attempt is on this host. `offered`: it is assigned to the host. `starting`: the host accepts it or has
 * accepted it, and nothing runs. `running`: there is a local task. `over`: the task has ended, or could not start.
 * `told`: the end is stored on the bus.
 */
export type Phase = 'offered' | 'starting' | 'running' | 'over' | 'told';

/** A task of the host's own store. */
export interface LocalPlace {
  readonly sessionId: string;
  readonly taskId: string;
}

/** An attempt that was assigned to this host. */
export class Attempt implements AttemptName {
  readonly task: string;
  readonly attempt: number;
  /** The last known state of it; `null`: only its local task is known. */
  assignment: Assignment | null;
  /** The sequence number of that state; 0: no message of it is known. */
  seq = 0;
  phase: Phase = 'offered';
  /** The acceptances that agents of this store have tried. */
  epochs: readonly string[] = [];
  /** Our acceptance is stored. */
  isWon = false;
  /**
   * An agent of an earlier boot, or of a machine of which this one is a copy, has recorded it. Until that agent is
   * known not to run, this agent reports nothing about it.
   */
  isInherited = false;
  /** It may have started, and no trace of that is left. So it never starts here. */
  isDoubtful = false;
  /** An operation on it is in progress, which continues by itself. */
  isBusy = false;
  /** Its task is being stopped. */
  isStopping = false;
  /** It no longer belongs to the host. */
  isFenced = false;
  /** A client wants to stop it before it has started. */
  isCancelled = false;
  /** Its consumer has the end. */
  isAcknowledged = false;
  /**
   * The coordinator does not list it, or the servers may have lost it. They have either its end or nothing about it.
   */
  isUnlisted = false;
  local: LocalPlace | null = null;
  /** Its first local task, if that one never ran. Another task may take its place, once. */
  abortedId: string | null = null;
  end: RemoteEnd | null = null;
  /** Why it could not start. */
  reason: string | null = null;
  /** When it last changed, in turns of {@link Attempts}. */
  changedAt = 0;

  constructor({ task, attempt }: AttemptName, assignment: Assignment | null) {
    this.task = task;
    this.attempt = attempt;
    this.assignment = assignment;
  }
}

/** The attempts of this host, by task and number. */
export class Attempts implements Iterable<Attempt> {
  readonly #all = new Map<string, Attempt>();
  #turn = 0;

  [Symbol.iterator](): IterableIterator<Attempt> {
    return [...this.#all.values()].values();
  }

  /** A number that grows with each change. It shows which changes an answer cannot know yet. */
  get turn(): number {
    return this.#turn;
  }

  get(name: AttemptName): Attempt | undefined {
    return this.#all.get(keyOf(name));
  }

  /** Adds a new attempt. */
  add(attempt: Attempt): Attempt {
    this.#all.set(keyOf(attempt), attempt);
    this.changed(attempt);
    return attempt;
  }

  /** Takes an attempt that the coordinator assigns to this host. */
  offer({ seq, assignment }: Numbered): void {
    const known = this.get(assignment);
    if (known !== undefined && (known.phase !== 'offered' || known.seq > seq)) return;
    const attempt = known ?? this.add(new Attempt(assignment, assignment));
    attempt.assignment = assignment;
    attempt.seq = seq;
  }

  remove(name: AttemptName): void {
    this.#all.delete(keyOf(name));
  }

  /** Notes that an attempt has just changed. */
  changed(attempt: Attempt): void {
    this.#turn += 1;
    attempt.changedAt = this.#turn;
  }

  /** The attempts in these phases, in the order of their sequence numbers. */
  in(...phases: readonly Phase[]): Attempt[] {
    return [...this].filter(({ phase }) => phases.includes(phase)).sort((a, b) => a.seq - b.seq);
  }

  /** The newest attempt of a task that has begun here. */
  ofTask(task: string): Attempt | undefined {
    return [...this]
      .filter((one) => one.task === task && one.phase !== 'offered')
      .sort((a, b) => b.attempt - a.attempt)[0];
  }
}

function keyOf({ task, attempt }: AttemptName): string {
  return `${task}.${attempt}`;
}
