import type { Completion, CompletionsOptions, Session } from '../../src/index.ts';

/** Somebody who takes completions in the background and keeps them. */
export class Taker implements AsyncDisposable {
  readonly taken: Completion[] = [];
  readonly #abort = new AbortController();
  readonly #taking: Promise<void>;

  constructor(session: Session, options: CompletionsOptions = {}, use?: (found: Completion) => unknown) {
    const completions = session.completions({ ...options, abortSignal: this.#abort.signal });
    this.#taking = this.#take(completions, use);
  }

  /** The ids of the tasks, in the order in which they came. */
  get ids(): string[] {
    return this.taken.map((completion) => completion.taskId);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#taking;
  }

  async #take(completions: AsyncIterable<Completion>, use?: (found: Completion) => unknown): Promise<void> {
    for await (const completion of completions) {
      await use?.(completion);
      this.taken.push(completion);
    }
  }
}
