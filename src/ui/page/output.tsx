import { type Signal, useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import type { StreamName, TaskRow } from '../protocol.ts';
import { shownBytes } from '../shown.ts';
import { say } from './announce.ts';
import { ask, connection } from './link.ts';
import { LogReader } from './log-reader.ts';
import { OutputSearch } from './output-search.tsx';

/** How near to an end of the loaded output, in pixels, the page asks for more. */
const nearPixels = 600;

/** How near to the end, in pixels, the page keeps following it. */
const bottomPixels = 4;

/** The output of a task: its end as it grows, any part of it, and a search. */
export function Output({ task }: { task: TaskRow }) {
  const stream = useSignal<StreamName>('stdout');
  const wraps = useSignal(true);
  const reader = useMemo(() => new LogReader(task.taskId, stream.value), [task.taskId, stream.value]);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (connection.value > 0) reader.follow();
    return () => reader.close();
  }, [reader, connection.value]);
  useEffect(() => {
    const takeKey = (event: KeyboardEvent): void => {
      const isTyping = (event.target as HTMLElement).closest('input, select, textarea, dialog') !== null;
      if (event.key === 'f' && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey)
        reader.toggle();
    };
    addEventListener('keydown', takeKey);
    return () => removeEventListener('keydown', takeKey);
  }, [reader]);
  return (
    <>
      <div class="toolbar">
        <button type="button" aria-pressed={reader.follows.value} onClick={() => reader.toggle()}>
          {reader.follows.value ? 'Following' : 'Follow'}
        </button>
        <button type="button" onClick={() => void reader.goTo(0)}>
          Start
        </button>
        <button type="button" aria-pressed={wraps.value} onClick={() => (wraps.value = !wraps.value)}>
          Wrap
        </button>
        {task.separate && (
          <select
            aria-label="Stream"
            value={stream.value}
            onChange={({ currentTarget }) => (stream.value = currentTarget.value as StreamName)}
          >
            <option>stdout</option>
            <option>stderr</option>
          </select>
        )}
        {task.host === undefined && (
          <>
            <button type="button" onClick={() => void download(task.taskId, stream.value)}>
              Download
            </button>
            <OutputSearch taskId={task.taskId} stream={stream.value} reader={reader} box={box} />
          </>
        )}
      </div>
      <Position reader={reader} />
      <LogText reader={reader} box={box} wraps={wraps} />
      {reader.error.value !== '' && <p role="alert">{reader.error.value}</p>}
    </>
  );
}

interface LogTextProps {
  readonly reader: LogReader;
  readonly box: { current: HTMLDivElement | null };
  readonly wraps: Signal<boolean>;
}

function LogText({ reader, box, wraps }: LogTextProps) {
  const part = reader.part.value;
  const lastHeight = useRef(0);
  const lastFrom = useRef(0);
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const grown = element.scrollHeight - lastHeight.current;
    if (reader.follows.value) element.scrollTop = element.scrollHeight;
    // Lines that are added above must not move the ones that are shown.
    else if (part.from < lastFrom.current && !reader.hasJumped) element.scrollTop += grown;
    lastHeight.current = element.scrollHeight;
    lastFrom.current = part.from;
    reader.top = element.scrollTop;
    reader.hasJumped = false;
  }, [part, wraps.value]);
  const scrolled = (element: HTMLDivElement): void => {
    const behind = element.scrollHeight - element.scrollTop - element.clientHeight;
    if (reader.follows.value && element.scrollTop < reader.top && behind > bottomPixels) reader.pause();
    reader.top = element.scrollTop;
    if (element.scrollTop < nearPixels) void reader.older();
    else if (behind < nearPixels && !reader.follows.value) void reader.newer();
  };
  return (
    <div
      ref={box}
      class={`log ${wraps.value ? 'wraps' : ''}`}
      role="region"
      aria-label="Output"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by the keyboard
      tabIndex={0}
      onScroll={({ currentTarget }) => scrolled(currentTarget)}
    >
      {part.size === 0 && part.blocks.length > 0 && <p class="dim">It has written nothing yet.</p>}
      {part.blocks.map((block, index) => {
        const before = part.blocks[index - 1];
        const missing = before === undefined ? 0 : block.from - before.to;
        return (
          <div key={block.id}>
            {missing > 0 && <p class="gap">{shownBytes(missing)} not shown: cut out, erased, or skipped</p>}
            <pre data-from={block.from}>{block.text}</pre>
          </div>
        );
      })}
    </div>
  );
}

/** The place of the page in the output. One move leads to any other place. */
function Position({ reader }: { reader: LogReader }) {
  const { from, to, size } = reader.part.value;
  if (size < 128 * 1024) return null;
  return (
    <label class="position">
      <span>
        {shownBytes(from)} to {shownBytes(to)} of {shownBytes(size)}
      </span>
      <input
        type="range"
        min={0}
        max={size}
        step={Math.max(1, Math.floor(size / 1000))}
        value={Math.min(from, size)}
        onChange={({ currentTarget }) => void reader.goTo(Number(currentTarget.value))}
      />
    </label>
  );
}

async function download(taskId: string, stream: StreamName): Promise<void> {
  try {
    const { path } = await ask<{ path: string }>({ kind: 'download', taskId, stream });
    const link = document.createElement('a');
    link.href = path;
    link.download = '';
    link.click();
  } catch (error) {
    say(`Not downloaded: ${(error as Error).message}`);
  }
}
