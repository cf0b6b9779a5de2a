import type { Task } from '../api/task.ts';
import type { AttachEnd, AttachOptions } from '../engine/interact/attach.ts';
import { expected, isExpected } from '../errors/expected.ts';
import { atExit } from './at-exit.ts';

/** A process that is not stopped after so many milliseconds has nobody who could continue it: it goes on. */
const stopMs = 100;

/** Signals by which a terminal's program is ended. */
const endings = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

const hasEnded = expected('INPUT_CLOSED');

/**
 * Makes the terminal of this process that of a task, until somebody leaves, the task ends, or this process is to end. While
 * this process is stopped, its terminal is as it was; once it is continued, it attaches again.
 */
export async function attachHere(
  task: Pick<Task, 'attach'>,
  options: Omit<AttachOptions, 'abortSignal'>,
): Promise<AttachEnd> {
  for (let isAgain = false; ; isAgain = true) {
    const { end, pause } = await attachOnce(task, options, isAgain);
    if (end !== 'left' || pause === null) return end;
    if (pause === 'asked') await stopSelf();
  }
}

/** `asked`: this process is to stop. `over`: it was stopped without a word, and other programs have used the terminal. */
type Pause = 'asked' | 'over';

async function attachOnce(
  task: Pick<Task, 'attach'>,
  options: Omit<AttachOptions, 'abortSignal'>,
  isAgain: boolean,
): Promise<{ readonly end: AttachEnd; readonly pause: Pause | null }> {
  const { stdin, stdout } = process;
  using raw = new RawMode(stdin);
  // Somebody may have paused it, and then a listener alone does not have it flow.
  stdin.resume();
  try {
    const end = await task.attach({ input: stdin, output: stdout }, { ...options, abortSignal: raw.ended });
    return { end, pause: raw.pause };
  } catch (error) {
    // It ended while nobody was attached here.
    if (!isAgain || !isExpected(error, hasEnded)) throw error;
    return { end: 'ended', pause: null };
  }
}

/** Stops this process, as Ctrl-Z does, until somebody continues it. */
async function stopSelf(): Promise<void> {
  await new Promise<void>((resolve) => {
    const goOn = (): void => {
      clearTimeout(timer);
      process.off('SIGCONT', goOn);
      resolve();
    };
    const timer = setTimeout(goOn, stopMs);
    process.on('SIGCONT', goOn);
    process.kill(process.pid, 'SIGTSTP');
  });
}

/** Raw mode: the terminal sends each key at once. Every end of this process but SIGKILL restores the terminal. */
class RawMode implements Disposable {
  readonly #stdin: NodeJS.ReadStream;
  readonly #ended = new AbortController();
  readonly #keepAtExit: () => void;
  #pause: Pause | null = null;
  readonly #end = (): void => {
    this.#pause = null;
    this.#ended.abort();
  };
  readonly #stop = (): void => this.#interrupt('asked');
  readonly #continue = (): void => this.#interrupt('over');
  readonly #restore = (): void => {
    // The terminal may be gone.
    if (!this.#stdin.destroyed) this.#stdin.setRawMode(false);
  };

  constructor(stdin: NodeJS.ReadStream) {
    this.#stdin = stdin;
    stdin.setRawMode(true);
    this.#keepAtExit = atExit(this.#restore);
    for (const name of endings) process.on(name, this.#end);
    process.on('SIGTSTP', this.#stop);
    process.on('SIGCONT', this.#continue);
  }

  /** Aborted when somebody ends or stops this process. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /** Why it was aborted, if this process is to go on. */
  get pause(): Pause | null {
    return this.#pause;
  }

  [Symbol.dispose](): void {
    this.#keepAtExit();
    for (const name of endings) process.off(name, this.#end);
    process.off('SIGTSTP', this.#stop);
    process.off('SIGCONT', this.#continue);
    this.#restore();
    this.#stdin.pause();
  }

  #interrupt(pause: Pause): void {
    if (this.#ended.signal.aborted) return;
    this.#pause = pause;
    this.#ended.abort();
  }
}
