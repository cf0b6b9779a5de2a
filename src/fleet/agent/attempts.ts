import type { Assignment, RemoteEnd } from '../wire/assignment.ts';
import type { AttemptName, Numbered } from '../wire/messages.ts';

/**
 * How far an attempt is on this host. `offered`: assigned to it. `starting`: the host says, or has said, that it accepts;
 * nothing runs. `running`: there is a local task. `over`: that has ended, or could not start. `told`: the end is stored on the bus.
 */
export type Phase = 'offered' | 'starting' | 'running' | 'over' | 'told';

/** A task of the host's own store. */
export interface LocalPlace {
  readonly sessionId: string;
  readonly taskId: string;
}

/** One attempt that this host has to do with. */
export class Attempt implements AttemptName {
  readonly task: string;
  readonly attempt: number;
  /** The last that is known of it; `null`: only its local task is known. */
  assignment: Assignment | null;
  /** The sequence number of that; 0: nothing is known to be there. */
  seq = 0;
  phase: Phase = 'offered';
  /** The acceptances that agents of this store have tried. */
  epochs: readonly string[] = [];
  /** The acceptance is stored, and was ours. */
  isWon = false;
  /**
   * An earlier start of this machine, or another machine of which this one is a copy, has noted it. Until it is known that
   * the other one does not run, nobody is told anything of it.
   */
  isInherited = false;
  /** It may have started, and nothing of that is left: so it never starts here. */
  isDoubtful = false;
  /** Something is on its way for it, which goes on from there itself. */
  isBusy = false;
  /** Its task is being stopped. */
  isStopping = false;
  /** The host no longer has it. */
  isFenced = false;
  /** Somebody wants it stopped, although it has not started. */
  isCancelled = false;
  /** Its consumer has the end. */
  isAcknowledged = false;
  /** The coordinator does not name it, or the server may have lost it: either its end is stored there, or nothing of it. */
  isUnlisted = false;
  local: LocalPlace | null = null;
  /** A local task that was to be its own, and that has never run: another one may take its place, once. */
  abortedId: string | null = null;
  end: RemoteEnd | null = null;
  /** Why it could not start. */
  reason: string | null = null;
  /** When something happened to it, in turns of {@link Attempts}. */
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

  /** A number that grows with each change, by which an answer tells what it cannot know yet. */
  get turn(): number {
    return this.#turn;
  }

  get(name: AttemptName): Attempt | undefined {
    return this.#all.get(keyOf(name));
  }

  /** Takes one in that is not there. */
  add(attempt: Attempt): Attempt {
    this.#all.set(keyOf(attempt), attempt);
    this.changed(attempt);
    return attempt;
  }

  /** An attempt that the coordinator assigns to this host. */
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

  /** Notes that something has happened to an attempt just now. */
  changed(attempt: Attempt): void {
    this.#turn += 1;
    attempt.changedAt = this.#turn;
  }

  /** Those in a phase, the first assigned first. */
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
