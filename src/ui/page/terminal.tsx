import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { TaskRow } from '../protocol.ts';
import { isLive } from './filter.ts';
import { ask, connection, open, served } from './link.ts';
import type { mountTerminal } from './terminal-module.ts';

/** A separate file, which is loaded only to show a terminal: it is larger than all the rest. */
const terminalModule = '/terminal.js';

/** The terminal of a running task, to type into; the last screen of an ended one. */
export function TerminalTab({ task }: { task: TaskRow }) {
  return isLive(task) ? <LiveTerminal taskId={task.taskId} /> : <LastScreen taskId={task.taskId} />;
}

function LiveTerminal({ taskId }: { taskId: string }) {
  const box = useRef<HTMLDivElement>(null);
  const onlyLook = useSignal(true);
  const error = useSignal('');
  const readOnly = served.value.readOnly || onlyLook.value;
  useEffect(() => {
    const element = box.current;
    if (element === null || connection.value === 0) return undefined;
    let leave: (() => void) | null = null;
    let isOver = false;
    const begin = async (): Promise<void> => {
      const { mountTerminal: mount } = (await import(terminalModule)) as {
        mountTerminal: typeof mountTerminal;
      };
      if (isOver) return;
      leave = mount(element, {
        readOnly,
        open: (size, listener) => open({ kind: 'terminal', taskId, ...size, readOnly }, listener),
        failed,
      });
    };
    const failed = (message: string): void => {
      error.value = message;
    };
    error.value = '';
    begin().catch((failure: Error) => failed(failure.message));
    return () => {
      isOver = true;
      leave?.();
    };
  }, [taskId, readOnly, connection.value]);
  return (
    <>
      <div class="toolbar">
        {served.value.readOnly ? (
          <span>This dashboard is read-only: you can watch the terminal, but not type.</span>
        ) : (
          <button
            type="button"
            aria-pressed={!onlyLook.value}
            onClick={() => (onlyLook.value = !onlyLook.value)}
          >
            {onlyLook.value ? 'Type into it' : 'Only watch'}
          </button>
        )}
        {!readOnly && (
          <span class="dim">Tab and Esc go to the program. To leave it: Ctrl+Shift+Esc, or the button.</span>
        )}
      </div>
      <div ref={box} class="terminal" />
      {error.value !== '' && <p role="alert">{error.value}</p>}
    </>
  );
}

function LastScreen({ taskId }: { taskId: string }) {
  const lines = useSignal<readonly string[]>([]);
  const error = useSignal('');
  useEffect(() => {
    ask<{ lines: readonly string[] }>({ kind: 'screen', taskId }).then(
      (screen) => (lines.value = screen.lines),
      (failure: Error) => (error.value = failure.message),
    );
  }, [taskId]);
  return (
    <>
      <p class="dim">It has ended. This is what its terminal showed last.</p>
      {error.value === '' ? (
        <pre class="screen">{lines.value.join('\n')}</pre>
      ) : (
        <p role="alert">{error.value}</p>
      )}
    </>
  );
}
