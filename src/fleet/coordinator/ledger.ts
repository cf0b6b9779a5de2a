import type { Assignment } from '../wire/assignment.ts';
import {
  currentOf,
  fold,
  type Held,
  isOver,
  mayHaveStarted,
  type StoredMessage,
  type TaskEntry,
  type Verdict,
} from './fold.ts';

/** The load of a host: how many of its current attempts are assigned, and how many are accepted. */
export interface Load {
  readonly waiting: number;
  readonly running: number;
}

interface HostTasks extends Load {
  readonly tasks: Set<string>;
  waiting: number;
  running: number;
}

/**
 * What the coordinator remembers of the stream of assignments: a fold of its messages, the same in every coordinator.
 */
export class Ledger {
  readonly #tasks = new Map<string, TaskEntry>();
  /** The tasks that are not over, with the attempt that counts in the load of its host. */
  readonly #open = new Map<string, Assignment>();
  readonly #hosts = new Map<string, HostTasks>();
  /** Tasks that ended or were revoked and are not acknowledged, by session. */
  readonly #owed = new Map<string, Set<string>>();
  readonly #listeners = new Map<string, Set<() => void>>();

  /** Takes a message of the stream. The messages of one subject must come in order. */
  take(message: StoredMessage): Verdict {
    const { task, spec } = message.assignment;
    const { entry, verdict } = fold(this.#tasks.get(task), message);
    if (entry === undefined || verdict === 'known') return verdict;
    this.#tasks.set(task, entry);
    if (verdict !== 'taken') return verdict;
    this.#index(entry);
    this.#tell(task);
    this.#tell(`session ${spec.session}`);
    return verdict;
  }

  /** Notes a message of the stream that cannot be read. The next write to its subject must still name it. */
  pass(host: string, task: string, seq: number): void {
    const entry = this.#tasks.get(task);
    if (entry === undefined || seq <= entry.seq) return;
    const held = entry.attempts.get(host);
    const attempts = held ? new Map(entry.attempts).set(host, { ...held, seq }) : entry.attempts;
    this.#tasks.set(task, { ...entry, seq, attempts });
  }

  get(task: string): TaskEntry | undefined {
    return this.#tasks.get(task);
  }

  /** The current attempt of a task. */
  current(task: string): Held | undefined {
    const entry = this.#tasks.get(task);
    return entry && currentOf(entry);
  }

  /** The last attempt of a task that was assigned to a host. */
  heldBy(host: string, task: string): Held | undefined {
    return this.#tasks.get(task)?.attempts.get(host);
  }

  /** The current attempts on a host that are not over. */
  openOn(host: string): Held[] {
    return [...(this.#hosts.get(host)?.tasks ?? [])].flatMap((task) => this.current(task) ?? []);
  }

  loadOf(host: string): Load {
    return this.#hosts.get(host) ?? { waiting: 0, running: 0 };
  }

  /** Whether any attempt of a task may have started. */
  mayHaveStarted(task: string): boolean {
    const attempts = this.#tasks.get(task)?.attempts.values() ?? [];
    return [...attempts].some(({ assignment }) => mayHaveStarted(assignment));
  }

  /** The tasks that are not over. */
  open(): TaskEntry[] {
    return [...this.#open.keys()].flatMap((task) => this.#tasks.get(task) ?? []);
  }

  /** Whether a task is known, and not over. */
  isOpen(task: string): boolean {
    return this.#open.has(task);
  }

  get openCount(): number {
    return this.#open.size;
  }

  all(): Iterable<TaskEntry> {
    return this.#tasks.values();
  }

  /** The tasks of a session that are over and not acknowledged, in the order of their last messages. */
  owed(session: string): Held[] {
    const tasks = [...(this.#owed.get(session) ?? [])].flatMap((task) => this.current(task) ?? []);
    return tasks.sort((a, b) => a.seq - b.seq);
  }

  hasOwed(session: string): boolean {
    return this.#owed.has(session);
  }

  /** Forgets a task whose subjects are purged. */
  drop(task: string): void {
    const held = this.current(task);
    if (held === undefined) return;
    this.#uncount(task);
    removeFrom(this.#owed, held.assignment.spec.session, task);
    this.#tasks.delete(task);
  }

  /** Forgets everything, because the stream was created again. */
  clear(): void {
    for (const task of [...this.#tasks.keys()]) this.drop(task);
  }

  /** Calls a listener when a task changes, or any task of `session <name>`. @returns a function that ends this. */
  on(what: string, listener: () => void): () => void {
    membersOf(this.#listeners, what).add(listener);
    return () => removeFrom(this.#listeners, what, listener);
  }

  #tell(what: string): void {
    for (const listener of [...(this.#listeners.get(what) ?? [])]) listener();
  }

  #index(entry: TaskEntry): void {
    const { assignment } = currentOf(entry);
    this.#uncount(entry.task);
    if (!isOver(assignment)) this.#count(assignment);
    const isOwed = isOver(assignment) && assignment.state !== 'delivered';
    if (isOwed) membersOf(this.#owed, assignment.spec.session).add(entry.task);
    else removeFrom(this.#owed, assignment.spec.session, entry.task);
  }

  #count(assignment: Assignment): void {
    this.#open.set(assignment.task, assignment);
    const { host, task } = assignment;
    const on = this.#hosts.get(host) ?? { tasks: new Set(), waiting: 0, running: 0 };
    this.#hosts.set(host, on);
    on.tasks.add(task);
    if (assignment.state === 'assigned') on.waiting += 1;
    if (assignment.state === 'accepted') on.running += 1;
  }

  #uncount(task: string): void {
    const counted = this.#open.get(task);
    const on = counted && this.#hosts.get(counted.host);
    this.#open.delete(task);
    if (counted === undefined || on === undefined) return;
    on.tasks.delete(task);
    if (counted.state === 'assigned') on.waiting -= 1;
    if (counted.state === 'accepted') on.running -= 1;
    if (on.tasks.size === 0) this.#hosts.delete(counted.host);
  }
}

function membersOf<Member>(sets: Map<string, Set<Member>>, name: string): Set<Member> {
  const found = sets.get(name) ?? new Set<Member>();
  sets.set(name, found);
  return found;
}

function removeFrom<Member>(sets: Map<string, Set<Member>>, name: string, member: Member): void {
  const set = sets.get(name);
  set?.delete(member);
  if (set?.size === 0) sets.delete(name);
}
