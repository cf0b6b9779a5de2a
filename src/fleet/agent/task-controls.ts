import type { StoreTask } from '../../api/store-task.ts';
import type { Task } from '../../api/task.ts';
import { OutliveError, taskNotFound } from '../../errors/error.ts';
import type { Screen } from '../../terminal/screen.ts';
import type { TaskControl } from '../wire/control.ts';
import { mostScreenBytes } from '../wire/terminal.ts';
import type { OutputFollows } from './output-follows.ts';
import type { Parts } from './parts.ts';
import type { Starter } from './starter.ts';
import type { Views } from './views.ts';

/** Does what the coordinator asks about local tasks. It names a task by its id in the fleet or in the host's store. */
export class TaskControls {
  readonly #parts: Parts;
  readonly #starter: Starter;
  readonly #follows: OutputFollows;
  readonly #views: Views;

  constructor(parts: Parts, starter: Starter, follows: OutputFollows, views: Views) {
    this.#parts = parts;
    this.#starter = starter;
    this.#follows = follows;
    this.#views = views;
  }

  /** @returns the answer, without its version. @throws OutliveError like the methods of the library. */
  async perform(control: TaskControl): Promise<object> {
    if (control.verb === 'kill' && this.#cancel(control.task)) return { snapshot: null };
    const local = this.#find(control.task);
    switch (control.verb) {
      case 'show':
        return { snapshot: local.snapshot() };
      case 'read':
        return await readRange(local, control);
      case 'send':
        await this.#inSession(local, async (task) => {
          const { data, isText, paste, press, eof } = control;
          await task.send(isText ? data.toString() : data, { paste, press, eof });
        });
        return {};
      case 'screen':
        return { screen: await screenOf(local) };
      case 'resize':
        await this.#inSession(local, (task) => task.resize(control.size));
        return {};
      case 'view':
        return await this.#views.take(local, control);
      case 'kill': {
        const { graceMs } = control;
        return { snapshot: await local.kill(graceMs === null ? {} : { graceMs }) };
      }
      case 'follow':
        return { offset: this.#follows.follow(local, control) };
    }
  }

  /** Prevents the start of a task that has not started yet. @returns whether there is such a task. */
  #cancel(task: string): boolean {
    const attempt = this.#parts.attempts.ofTask(task);
    if (attempt?.phase !== 'starting') return false;
    attempt.isCancelled = true;
    this.#starter.look();
    return true;
  }

  #find(task: string): StoreTask {
    const attempt = this.#parts.attempts.ofTask(task);
    const found = this.#parts.local.find(attempt?.local?.taskId ?? task);
    if (found !== null) return found;
    if (attempt === undefined) throw taskNotFound(null, task);
    const why = attempt.reason ?? 'It is about to start.';
    throw new OutliveError(
      'TASK_NOT_FOUND',
      `expected the task ${task} on ${this.#parts.host}; found none. ${why}`,
      { details: { taskId: task } },
    );
  }

  async #inSession(local: StoreTask, work: (task: Task) => Promise<void>): Promise<void> {
    const session = await this.#parts.local.hold(local.sessionId);
    try {
      await work(session.task(local.id));
    } finally {
      await this.#parts.local.release(local.sessionId);
    }
  }
}

/** @throws OutliveError `NO_TERMINAL`; `FLEET_BUSY` if the screen does not fit into an answer. */
async function screenOf(local: StoreTask): Promise<Screen> {
  const screen = await local.screen();
  const found = Buffer.byteLength(screen.lines.join(''));
  if (found <= mostScreenBytes) return screen;
  throw new OutliveError(
    'FLEET_BUSY',
    `expected a screen of at most ${mostScreenBytes} bytes; found ${found}. Make the terminal smaller, with: outlive resize`,
  );
}

async function readRange(
  local: StoreTask,
  { offset, maxBytes }: Extract<TaskControl, { verb: 'read' }>,
): Promise<object> {
  const { bytes, ...found } = await local.read({ offset, maxBytes });
  const { nextOffset, size, omittedBytes, more } = found;
  return { offset: found.offset, nextOffset, size, omittedBytes, more, bytes: bytes.toString('base64') };
}
