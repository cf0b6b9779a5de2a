import { fold, type StoredMessage, type TaskEntry } from '../../../src/fleet/coordinator/fold.ts';
import type { Assignment } from '../../../src/fleet/wire/assignment.ts';

/** The most messages of a subject that the stream keeps. */
const mostPerSubject = 5;

/** The stream of assignments as JetStream has it: conditional writes, and a few messages of each subject. */
export class SimulatedStream {
  readonly messages: StoredMessage[] = [];
  readonly #last = new Map<string, number>();
  readonly #lastOfTask = new Map<string, number>();
  readonly #warrants = new Set<string>();

  /** @returns the message, or null where the condition does not hold. */
  write(
    assignment: Assignment,
    by: 'coordinator' | 'host',
    after: number | null,
    scope: 'task' | 'attempt' = 'attempt',
  ): StoredMessage | null {
    const subject = `${assignment.host} ${assignment.task}`;
    const last = (scope === 'task' ? this.#lastOfTask.get(assignment.task) : this.#last.get(subject)) ?? 0;
    if (after !== null && after !== last) return null;
    const seq = this.messages.length + 1;
    if (by === 'coordinator' && assignment.state === 'assigned') this.#warrants.add(warrantOf(assignment));
    const isWarranted = (): boolean => this.#warrants.has(warrantOf(assignment));
    const message = { seq, after: by === 'coordinator' ? after : null, assignment, isWarranted };
    this.messages.push(message);
    this.#last.set(subject, seq);
    this.#lastOfTask.set(assignment.task, seq);
    return message;
  }

  /** What a coordinator that starts now reads. */
  kept(): StoredMessage[] {
    const count = new Map<string, number>();
    const kept = [...this.messages].reverse().filter(({ assignment: { host, task } }) => {
      const subject = `${host} ${task}`;
      count.set(subject, (count.get(subject) ?? 0) + 1);
      return (count.get(subject) ?? 0) <= mostPerSubject;
    });
    return kept.reverse();
  }

  /** What one who has read all of it knows of a task. */
  entryOf(task: string, messages: readonly StoredMessage[] = this.messages): TaskEntry | undefined {
    return messages
      .filter(({ assignment }) => assignment.task === task)
      .reduce<TaskEntry | undefined>((entry, message) => fold(entry, message).entry, undefined);
  }
}

function warrantOf({ host, task, attempt, redispatch }: Assignment): string {
  return `${host} ${task} ${attempt} ${redispatch}`;
}
