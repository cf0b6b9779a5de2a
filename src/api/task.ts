import { acknowledge } from '../engine/completions/acknowledge.ts';
import { killTask } from '../engine/end/kill.ts';
import type { AttachEnd, AttachOptions, Viewer } from '../engine/interact/attach.ts';
import type { SendOptions } from '../engine/interact/send.ts';
import type { SessionContext } from '../engine/session/context.ts';
import { checkAbortSignal, checkFlag, checkNumber } from '../engine/session/validate.ts';
import type { RestartOptions } from '../engine/spawn/restart.ts';
import { untilEnded } from '../engine/wait/wait.ts';
import {
  nothingElse,
  type WaitForOptions,
  type WaitForResult,
  waitForOptionNames,
} from '../engine/wait/wait-for-options.ts';
import type { WatchMatch } from '../engine/watches/match-feed.ts';
import { closeWatch } from '../engine/watches/pattern-watches.ts';
import type { WatchOptions } from '../engine/watches/watch-options.ts';
import type { AddWatchOptions } from '../engine/watches/watch-task.ts';
import { checkOptions, type OptionNames } from '../errors/check-options.ts';
import { closed } from '../errors/error.ts';
import { bounds } from '../model/limits.ts';
import type { Pattern } from '../model/pattern.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { isEnded, type TerminalSize } from '../model/words.ts';
import { checkKill, type KillOptions } from './kill-options.ts';
import { TaskReader } from './task-reader.ts';

/** How to wait for the end of a task. */
export interface WaitOptions {
  /** How long to wait at most; then the snapshot says that the task still runs. @default no limit */
  readonly timeoutMs?: number;
  /**
   * Whether the result counts as the delivery of the completion, so that it is delivered nowhere else.
   * @default true
   */
  readonly ack?: boolean;
  /** Ends the waiting with the signal's reason as error; the task goes on. */
  readonly abortSignal?: AbortSignal;
}

const waitOptionNames: OptionNames<WaitOptions> = { timeoutMs: true, ack: true, abortSignal: true };

/** What has come of the spawn of a task. */
interface Origin {
  readonly reused?: boolean;
  readonly replaced?: readonly string[];
}

/** A handle on one task. It costs nothing, holds no state and may be made again from the id at any time. */
export class Task extends TaskReader {
  readonly #context: SessionContext;
  /** `spawn` was called with a `key` that this task had already: nothing was started. */
  readonly reused: boolean;
  /** The ids of the tasks that were stopped so that this one takes their place: by `spawn` with `replace`, or by `restart`. */
  readonly replaced: readonly string[];

  /** For `Session` only: use `session.task(id)`. */
  constructor(context: SessionContext, id: string, { reused = false, replaced = [] }: Origin = {}) {
    super(context, id);
    this.#context = context;
    this.reused = reused;
    this.replaced = replaced;
  }

  /**
   * Waits for the end of the task, or for `timeoutMs`.
   * @returns the snapshot then; its status says which it was.
   * @throws OutliveError `TASK_NOT_FOUND`, `CLOSED`; the abort signal's reason.
   */
  async wait(options: WaitOptions = {}): Promise<TaskSnapshot> {
    this.#mustBeOpen();
    const { timeoutMs, ack = true, abortSignal } = checkOptions('task.wait()', options, waitOptionNames);
    if (timeoutMs !== undefined) checkNumber('timeoutMs', timeoutMs, 0, bounds.durationMs);
    const waiting = { timeoutMs, ack: checkFlag('ack', ack), abortSignal: checkAbortSignal(abortSignal) };
    return await untilEnded(this.#context, this.id, waiting);
  }

  /**
   * Waits for whichever comes first: a pattern in the output, a port at which the task listens, silence, the
   * end, the time limit. The end always ends the wait, and is acknowledged when it is what is reported.
   * @throws OutliveError `INVALID_ARGUMENT`, `TASK_NOT_FOUND`, `CLOSED`; the abort signal's reason.
   */
  override async waitFor(options: WaitForOptions): Promise<WaitForResult> {
    this.#mustBeOpen();
    const { exit: _, ...rest } = checkOptions('task.waitFor()', options, waitForOptionNames);
    // A wait with these options is for the end alone.
    if (Object.keys(rest).every((name) => Object.hasOwn(waitOptionNames, name)))
      return endResult(await this.wait(rest));
    // Loaded when it is used: an import of the package is to cost little.
    const { waitFor } = await import('../engine/wait/wait-for.ts');
    return await waitFor(this.#context, this.id, options);
  }

  /**
   * The same as {@link TaskReader.watch}, while the session is open. Nothing of it is kept: see {@link Task.addWatch}.
   * @throws OutliveError `INVALID_ARGUMENT`, `TASK_NOT_FOUND`, `CLOSED`.
   */
  override async *watch(
    pattern: Pattern,
    options: WatchOptions = {},
  ): AsyncGenerator<WatchMatch, void, undefined> {
    this.#mustBeOpen();
    yield* super.watch(pattern, options);
  }

  /**
   * Opens a durable watch: from now on its matches are pending for the session, by `session.matches()`, until they
   * are acknowledged, also those of lines that were written while no process watched.
   * @returns its id.
   * @throws OutliveError `INVALID_ARGUMENT`, `TASK_NOT_FOUND`, `CLOSED`; `TASK_ENDED` when the task has ended, was
   *   acknowledged and has left nothing: then its output can be searched at once.
   */
  async addWatch(pattern: Pattern, options: AddWatchOptions = {}): Promise<string> {
    this.#mustBeOpen();
    const { addWatch } = await import('../engine/watches/watch-task.ts');
    return await addWatch(this.#context, this.id, pattern, options);
  }

  /**
   * Ends a durable watch: nothing more of it is pending.
   * @returns whether it was open.
   */
  async removeWatch(watchId: string): Promise<boolean> {
    this.#mustBeOpen();
    return closeWatch(this.#context, this.id, watchId);
  }

  /**
   * Types into the task, which was spawned with `stdin: 'open'` or a `tty`: text or bytes, then keys, then the end. Text for a
   * terminal has Enter for its line breaks. Resolves when the shim has all of it. Nothing that is sent is recorded anywhere.
   * @throws OutliveError `INPUT_CLOSED`, `INPUT_FULL`, `NO_TERMINAL`, `INVALID_ARGUMENT`, `TASK_NOT_FOUND`, `TASK_ELSEWHERE`,
   *   `CLOSED`.
   */
  async send(input: string | Uint8Array, options: SendOptions = {}): Promise<void> {
    this.#mustBeOpen();
    const { checkSend, sendInput } = await import('../engine/interact/send.ts');
    await sendInput(this.#context, this.id, checkSend(input, options));
  }

  /**
   * Shows the terminal of the task to a person, who may type into it, until they leave (Ctrl-\\ d) or the command ends. The
   * caller puts the person's terminal into raw mode before, and back after.
   * @returns which of the two it was.
   * @throws OutliveError `NO_TERMINAL`, `INPUT_CLOSED`, `TASK_NOT_FOUND`, `TASK_ELSEWHERE`, `INVALID_ARGUMENT`, `CLOSED`.
   */
  async attach(viewer: Viewer, options: AttachOptions = {}): Promise<AttachEnd> {
    this.#mustBeOpen();
    const { attach } = await import('../engine/interact/attach.ts');
    return await attach(this.#context, this.id, viewer, options);
  }

  /**
   * Sets the size of the task's terminal, 1 to 1000 columns and rows. Changes that come fast are set at most ten times a second.
   * @throws OutliveError `NO_TERMINAL`, `INPUT_CLOSED`, `INVALID_ARGUMENT`, `TASK_NOT_FOUND`, `TASK_ELSEWHERE`, `CLOSED`.
   */
  async resize(size: TerminalSize): Promise<void> {
    this.#mustBeOpen();
    const [{ resizeTerminal }, { checkSize }] = await Promise.all([
      import('../engine/interact/send.ts'),
      import('../engine/spawn/stdin-request.ts'),
    ]);
    await resizeTerminal(this.#context, this.id, checkSize('task.resize()', size));
  }

  /**
   * Stops the task whole: its process group and everything that carries its cookie. Of a task that has
   * ended, stops the leftovers; without any nothing happens. Called again meanwhile, it hastens the stop. The answer is
   * the delivery of the completion, as that of `wait()` is, unless `ack` is `false`.
   * @returns the snapshot when the stop is done. Its `leftovers` are survivors.
   * @throws OutliveError `TASK_NOT_FOUND`, `TASK_ELSEWHERE`, `CLOSED`, `INVALID_ARGUMENT`.
   */
  async kill(options: KillOptions = {}): Promise<TaskSnapshot> {
    this.#mustBeOpen();
    const { request, ack } = checkKill(options);
    return await killTask(this.#context, this.id, request, ack);
  }

  /**
   * Runs the task again, in a new task with the same command, options, name, labels and limits, but without its `key`. One
   * that has not ended is stopped first, whole, as by `kill()`; all that can be refused is refused before that. While it
   * runs, its variables are read from its process (Linux); else they are those of this process, and what the spawner had set
   * to other values must be in `env` or in this process. A task whose place another one has taken is not run again: that
   * one is.
   *
   * When this process dies before the new task has started, the end of the old one is pending: `killed`, reason `replaced`.
   * @returns the new task; its `replaced` has the id of the old one.
   * @throws OutliveError as `spawn` does; `INVALID_ENV` with the names that are missing in `details.missing`;
   *   `TASK_NOT_FOUND`, `TASK_ELSEWHERE`, `NOT_STOPPED`, `CLOSED`.
   */
  async restart(options: RestartOptions = {}): Promise<Task> {
    this.#mustBeOpen();
    const { restartTask, checkRestart } = await import('../engine/spawn/restart.ts');
    const { taskId, ...origin } = await restartTask(this.#context, this.id, checkRestart(options));
    const task = new Task(this.#context, taskId, origin);
    if (task.snapshot().tty !== null) {
      const { followSoon } = await import('../engine/interact/screen.ts');
      followSoon(this.#context, taskId);
    }
    return task;
  }

  /**
   * Acknowledges the completion, if the task has ended.
   * @returns whether this call was the first to do so, among all processes.
   */
  async ack(): Promise<boolean> {
    this.#mustBeOpen();
    return acknowledge(this.#context, this.id);
  }

  #mustBeOpen(): void {
    if (this.#context.closed) throw closed('session');
  }
}

function endResult(snapshot: TaskSnapshot): WaitForResult {
  const cause = isEnded(snapshot.status) ? 'exit' : 'timeout';
  return { ...nothingElse, cause, snapshot, beginsAt: 0 };
}
