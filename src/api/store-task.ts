import type { AttachEnd, AttachOptions, Viewer } from '../engine/interact/attach.ts';
import type { SessionContext } from '../engine/session/context.ts';
import { observe } from '../engine/session/observe.ts';
import { openedToRead } from '../errors/error.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import type { StopOptions } from './kill-options.ts';
import { TaskReader } from './task-reader.ts';

/**
 * A handle on a task of any session, which is neither opened nor adopted: for views of a store. It acknowledges nothing
 * unless `ack()` is called.
 */
export class StoreTask extends TaskReader {
  readonly #context: SessionContext;

  /** For `Store` only: use `store.task(id)`. */
  constructor(context: SessionContext, id: string) {
    super(context, id);
    this.#context = context;
  }

  /**
   * Stops the task whole, as `task.kill()` does. Its session is told of the end: nothing is acknowledged.
   * @returns the snapshot when the stop is done. Its `leftovers` are survivors.
   * @throws OutliveError `TASK_NOT_FOUND`, `TASK_ELSEWHERE`, `INVALID_ARGUMENT`; `STORE_UNWRITABLE` in a store that was opened to read.
   */
  async kill(options: StopOptions = {}): Promise<TaskSnapshot> {
    const { checkStop } = await import('./kill-options.ts');
    const request = checkStop(options);
    if (this.#context.store.isReadOnly) throw openedToRead();
    // A reader needs none of that code.
    const { stopTask } = await import('../engine/end/stop.ts');
    await stopTask(this.#context, this.id, request);
    return this.snapshot();
  }

  /**
   * Shows the terminal of the task to a person, as `task.attach()` does.
   * @throws OutliveError `NO_TERMINAL`, `INPUT_CLOSED`, `TASK_NOT_FOUND`, `TASK_ELSEWHERE`, `INVALID_ARGUMENT`;
   *   `STORE_UNWRITABLE` in a store that was opened to read, unless `readOnly` is `true`.
   */
  async attach(viewer: Viewer, options: AttachOptions = {}): Promise<AttachEnd> {
    if (this.#context.store.isReadOnly && options.readOnly !== true) throw openedToRead();
    const { attach } = await import('../engine/interact/attach.ts');
    return await attach(this.#context, this.id, viewer, options);
  }

  /**
   * Acknowledges the completion, if the task has ended: its session does not hear of it again. If no process has
   * recorded the end, this call records it first.
   * @returns whether this call was the first to do so, among all processes.
   * @throws OutliveError `STORE_UNWRITABLE` in a store that was opened to read.
   */
  async ack(): Promise<boolean> {
    const context = this.#context;
    if (context.store.isReadOnly) throw openedToRead();
    const [{ settleInTheEnd }, { acknowledge }, { flush }] = await Promise.all([
      import('../engine/end/stop.ts'),
      import('../engine/completions/acknowledge.ts'),
      import('../engine/session/append.ts'),
    ]);
    const observed = observe(context, this.id);
    if (observed?.decision.state === 'settle') {
      await settleInTheEnd(context, this.id, observed);
      flush(context, this.id);
    }
    return acknowledge(context, this.id);
  }
}
