import { type ChildProcess, fork } from 'node:child_process';
import { must } from './measure.ts';

/** What a helper is asked, and answers: figures by name. */
export type Answer = Readonly<Record<string, number>>;

/** What a helper process can do: one function a question. */
export type Questions = Readonly<Record<string, () => Promise<Answer>>>;

/**
 * A process of its own for what must not share ours: a heap to be measured, a supervisor to be killed, code
 * that nothing has warmed up.
 */
export class Helper {
  readonly #process: ChildProcess;

  constructor(kind: string, ...args: readonly string[]) {
    const program = process.argv[1];
    if (program === undefined) throw new Error('expected to know the program that runs');
    this.#process = fork(program, ['--helper', kind, ...args], { execArgv: ['--expose-gc'] });
  }

  /** Asks one question at a time. */
  async ask(question: string): Promise<Answer> {
    const answer = new Promise<Answer>((resolve, reject) => {
      this.#process.once('message', (message) => resolve(message as Answer));
      this.#process.once('exit', () =>
        reject(new Error(`the helper ended before it answered "${question}"`)),
      );
    });
    this.#process.send(question);
    try {
      return await must(`the helper to answer "${question}"`, answer);
    } finally {
      this.#process.removeAllListeners();
    }
  }

  /** Ends it without a warning. */
  async kill(): Promise<void> {
    const gone = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGKILL');
    await gone;
  }
}

/** Answers questions until the process that asks is gone. */
export function answer(questions: Questions): void {
  process.on('message', (question) => {
    const known = questions[String(question)];
    if (known === undefined) throw new Error(`expected a question that is known; found ${question}`);
    void known().then((answered) => process.send?.(answered));
  });
  process.once('disconnect', () => process.exit());
}
