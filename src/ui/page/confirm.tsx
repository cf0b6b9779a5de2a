import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { ActData, Action } from '../protocol.ts';
import { say } from './announce.ts';
import { open } from './link.ts';
import { selected, tasks } from './state.ts';
import { titleOf } from './task-words.ts';

/** An action in progress: its tasks, how many are done, and what failed. */
interface Doing {
  readonly action: Action;
  readonly taskIds: readonly string[];
  readonly done: number;
  readonly failed: readonly string[];
}

const asked = signal<{ readonly action: Action; readonly taskIds: readonly string[] } | null>(null);
const doing = signal<Doing | null>(null);

/** The words for an action: on the button, when it is done, and what it does. */
export const actionWords: Readonly<Record<Action, readonly [verb: string, done: string, does: string]>> = {
  stop: ['Stop', 'stopped', 'Stops the command with its whole process tree. The session is told of the end.'],
  acknowledge: ['Acknowledge', 'acknowledged', 'The session is no longer told of the end.'],
  prune: [
    'Prune',
    'removed',
    'Removes the record and the output for good. Running and pending tasks are kept.',
  ],
  restart: ['Restart', 'restarted', 'Stops the command if it still runs, and runs it again in a new task.'],
};

/** Asks before it acts. To acknowledge an end needs no question. */
export function askTo(action: Action, taskIds: readonly string[]): void {
  if (taskIds.length === 0) return;
  if (action === 'acknowledge') act(action, taskIds);
  else asked.value = { action, taskIds };
}

function act(action: Action, taskIds: readonly string[]): void {
  doing.value = { action, taskIds, done: 0, failed: [] };
  const [, past] = actionWords[action];
  open<ActData>(
    { kind: 'act', action, taskIds },
    {
      data({ taskId, error }) {
        const { value } = doing;
        if (value === null) return;
        const row = tasks.peek().get(taskId);
        const failed =
          error === null
            ? value.failed
            : [...value.failed, `${row ? titleOf(row) : taskId}: ${error.message}`];
        doing.value = { ...value, done: value.done + 1, failed };
      },
      end(error) {
        const { value } = doing;
        const failed = value?.failed ?? [];
        const count = (value?.done ?? 0) - failed.length;
        if (error !== null && value !== null)
          doing.value = { ...value, done: taskIds.length, failed: [...failed, error.message] };
        else if (failed.length === 0) doing.value = null;
        if (taskIds.length > 1) selected.value = new Set();
        say(`${count} ${past}${failed.length > 0 ? `, ${failed.length} not` : ''}`);
      },
    },
  );
}

/** The question before an action, then its progress, then what failed. */
export function Confirmation() {
  return (
    <>
      {asked.value !== null && <Question {...asked.value} />}
      {doing.value !== null && <Progress {...doing.value} />}
    </>
  );
}

function Question({ action, taskIds }: { action: Action; taskIds: readonly string[] }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const [verb, , does] = actionWords[action];
  const row = tasks.value.get(taskIds[0] ?? '');
  const close = (): void => {
    asked.value = null;
  };
  const go = (event: SubmitEvent): void => {
    event.preventDefault();
    close();
    act(action, taskIds);
  };
  return (
    <dialog ref={dialog} onClose={close} aria-labelledby="question">
      <form onSubmit={go}>
        <h2 id="question">
          {verb} {taskIds.length === 1 && row ? titleOf(row).slice(0, 80) : `${taskIds.length} tasks`}?
        </h2>
        <p>{does}</p>
        <div class="buttons">
          <button type="submit" class="strong">
            {verb}
          </button>
          <button type="button" onClick={close}>
            Cancel
          </button>
        </div>
      </form>
    </dialog>
  );
}

function Progress({ action, taskIds, done, failed }: Doing) {
  const isOver = done >= taskIds.length;
  const [verb] = actionWords[action];
  return (
    <section class="progress" aria-label="Progress">
      <label>
        {verb}: {done} of {taskIds.length}
        <progress max={taskIds.length} value={done} />
      </label>
      {failed.length > 0 && (
        <ul>
          {failed.slice(0, 8).map((text) => (
            <li key={text}>{text}</li>
          ))}
          {failed.length > 8 && <li>and {failed.length - 8} more</li>}
        </ul>
      )}
      {isOver && (
        <button type="button" onClick={() => (doing.value = null)}>
          Close
        </button>
      )}
    </section>
  );
}
