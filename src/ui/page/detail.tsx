import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { commandOf } from '../../util/quote.ts';
import { visible } from '../../util/visible.ts';
import type { Action, TaskData } from '../protocol.ts';
import { actionWords, askTo } from './confirm.tsx';
import { Facts } from './facts.tsx';
import { isLive } from './filter.ts';
import { ask, connection, served } from './link.ts';
import { Output } from './output.tsx';
import { Limits, Processes } from './processes.tsx';
import { activeId, filterText, isReady, now, show, tasks } from './state.ts';
import { fateOf, signs } from './status.ts';
import { durationOf, titleOf } from './task-words.ts';
import { TerminalTab } from './terminal.tsx';
import { copy } from './toolbar.tsx';

const tabs = ['Output', 'Terminal', 'Facts', 'Processes', 'Limits'] as const;

/** The tabs for a task on another host. */
const tabsThere: readonly Tab[] = ['Output', 'Facts', 'Limits'];
type Tab = (typeof tabs)[number];

/** How often the data of a running task is asked for again, in milliseconds. */
const againMs = 2_000;

/** One task. */
export function Detail({ taskId }: { taskId: string }) {
  const row = tasks.value.get(taskId);
  const data = useSignal<TaskData | null>(null);
  const error = useSignal('');
  const tab = useSignal<Tab | null>(null);
  const first = useRef<Tab | null>(null);
  const isRunning = row !== undefined && isLive(row);
  const status = row?.status;
  useEffect(() => {
    if (connection.value === 0) return undefined;
    let isOver = false;
    const load = async (): Promise<void> => {
      try {
        const found = await ask<TaskData>({ kind: 'task', taskId });
        if (!isOver) data.value = found;
        error.value = '';
      } catch (failure) {
        error.value = (failure as Error).message;
      }
    };
    void load();
    const timer = isRunning ? setInterval(() => !document.hidden && void load(), againMs) : undefined;
    return () => {
      isOver = true;
      clearInterval(timer);
    };
  }, [taskId, status, row?.delivered, connection.value]);
  useEffect(() => {
    activeId.value = taskId;
    const leave = (event: KeyboardEvent): void => {
      const target = event.target as HTMLElement;
      if (event.key === 'Escape' && target.closest('input, .terminal, dialog') === null) show(null);
    };
    addEventListener('keydown', leave);
    return () => removeEventListener('keydown', leave);
  }, []);
  const task = row ?? data.value?.row;
  if (task === undefined) return <Missing taskId={taskId} error={error.value} />;
  const shown = task.host === undefined ? tabs.filter((name) => name !== 'Terminal' || task.tty) : tabsThere;
  // A person who watches a terminal still sees it after the command has ended.
  first.current ??= task.tty && isLive(task) ? 'Terminal' : 'Output';
  const current = tab.value ?? first.current;
  return (
    <>
      <header class="top detail-top">
        <a class="back" href="#/">
          <span aria-hidden="true">←</span> All tasks
        </a>
        <h1>{titleOf(task)}</h1>
        <span class={`status ${task.status}`}>
          <span aria-hidden="true">{signs[task.status]}</span> {fateOf(task)}
        </span>
        <span class="dim">{durationOf(task, now.value)}</span>
      </header>
      <main class="detail">
        <p class="command">
          <code>{visible(task.command)}</code>
        </p>
        <p class="where">
          {task.host !== undefined && (
            <span>
              on <code>{visible(task.host)}</code>
            </span>
          )}
          {task.cwd !== '' && (
            <span>
              in <code>{visible(task.cwd)}</code>
            </span>
          )}
          <button type="button" class="quiet" onClick={() => sessionOnly(task.sessionId)}>
            session {visible(task.sessionId)}
          </button>
          <code>{task.taskId}</code>
        </p>
        <Buttons
          taskId={taskId}
          isRunning={isRunning}
          delivered={task.delivered}
          command={task.command}
          isThere={task.host !== undefined}
        />
        <div
          class="tabs"
          role="tablist"
          aria-label="What is shown"
          onKeyDown={(event) => otherTab(event, shown, current, tab)}
        >
          {shown.map((name) => (
            <button
              type="button"
              role="tab"
              key={name}
              id={`tab-${name}`}
              aria-selected={name === current}
              aria-controls="panel"
              tabIndex={name === current ? 0 : -1}
              onClick={() => (tab.value = name)}
            >
              {name}
            </button>
          ))}
        </div>
        <section class="panel" role="tabpanel" id="panel" aria-labelledby={`tab-${current}`}>
          {current === 'Output' && <Output task={task} />}
          {current === 'Terminal' && <TerminalTab task={task} />}
          {current === 'Facts' && <Facts data={data.value} />}
          {current === 'Processes' && <Processes data={data.value} isRunning={isRunning} />}
          {current === 'Limits' && <Limits data={data.value} />}
        </section>
      </main>
    </>
  );
}

function Missing({ taskId, error }: { taskId: string; error: string }) {
  return (
    <main class="detail">
      <p>
        <a href="#/">All tasks</a>
      </p>
      <p>{isReady.value ? error || `There is no task ${taskId}: it may have been pruned.` : 'Loading…'}</p>
    </main>
  );
}

interface ButtonsProps {
  readonly taskId: string;
  readonly isRunning: boolean;
  readonly delivered: boolean;
  readonly command: string;
  /** Whether the task is on another host. */
  readonly isThere: boolean;
}

function Buttons({ taskId, isRunning, delivered, command, isThere }: ButtonsProps) {
  const all: readonly Action[] = isThere
    ? isRunning
      ? ['stop']
      : []
    : isRunning
      ? ['stop', 'restart']
      : delivered
        ? ['restart', 'prune']
        : ['acknowledge', 'restart'];
  const line = commandOf(['outlive', 'logs', '-f', taskId]);
  return (
    <div class="toolbar">
      {!served.value.readOnly &&
        all.map((action) => (
          <button type="button" key={action} onClick={() => askTo(action, [taskId])}>
            {actionWords[action][0]}
          </button>
        ))}
      <button type="button" onClick={() => void copy(taskId, 'the id')}>
        Copy id
      </button>
      <button type="button" onClick={() => void copy(command, 'the command')}>
        Copy command
      </button>
      <button type="button" onClick={() => void copy(line, line)}>
        Copy <code>outlive logs -f</code>
      </button>
    </div>
  );
}

function sessionOnly(sessionId: string): void {
  const word = visible(sessionId);
  filterText.value = `session:${/\s/.test(word) ? `"${word}"` : word}`;
  show(null);
}

function otherTab(
  event: KeyboardEvent,
  shown: readonly Tab[],
  current: Tab,
  tab: { value: Tab | null },
): void {
  const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
  if (step === 0) return;
  const next = shown[(shown.indexOf(current) + step + shown.length) % shown.length];
  if (next === undefined) return;
  tab.value = next;
  document.getElementById(`tab-${next}`)?.focus();
}
