import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { visible } from '../../util/visible.ts';
import type { TaskRow } from '../protocol.ts';
import { shownBytes, shownTime } from '../shown.ts';
import { askTo } from './confirm.tsx';
import { isLive } from './filter.ts';
import { served } from './link.ts';
import { Sparkline } from './sparkline.tsx';
import {
  activeId,
  hasHosts,
  isDisconnected,
  now,
  ports,
  rows,
  selected,
  selectedIds,
  show,
  toggleSelected,
  usage,
} from './state.ts';
import { fateOf, signs } from './status.ts';
import { agoOf, durationOf, shortFolder, titleOf } from './task-words.ts';

/** Rows before and after the visible ones. */
const beside = 8;

/** The list of tasks: a grid that draws only the rows near the screen. */
export function TaskList() {
  const box = useRef<HTMLDivElement>(null);
  const scrolled = useSignal(0);
  const height = useSignal(600);
  const rowHeight = useSignal(34);
  useEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const measure = (): void => {
      height.value = element.clientHeight;
      rowHeight.value = Number.parseFloat(getComputedStyle(element).getPropertyValue('--row')) || 34;
    };
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    measure();
    comeBack(element, rowHeight.value);
    return () => observer.disconnect();
  }, []);
  const all = rows.value;
  const first = Math.max(0, Math.floor(scrolled.value / rowHeight.value) - beside);
  const last = Math.min(all.length, Math.ceil((scrolled.value + height.value) / rowHeight.value) + beside);
  const active = activeIndex(all);
  const activeRow = all[active];
  return (
    <div
      ref={box}
      class={`list ${isDisconnected.value ? 'old' : ''} ${hasHosts.value ? 'with-hosts' : ''}`}
      role="grid"
      aria-label="Tasks"
      aria-rowcount={all.length + 1}
      aria-multiselectable="true"
      tabIndex={0}
      aria-activedescendant={activeRow && `row-${activeRow.taskId}`}
      onScroll={({ currentTarget }) => (scrolled.value = currentTarget.scrollTop)}
      onKeyDown={(event) => takeKey(event, rowHeight.value)}
    >
      <Head />
      <div class="rows" role="rowgroup" style={{ height: `${all.length * rowHeight.value}px` }}>
        {all.slice(first, last).map((row, index) => (
          <Row
            key={row.taskId}
            row={row}
            index={first + index}
            top={(first + index) * rowHeight.value}
            isActive={first + index === active}
          />
        ))}
      </div>
    </div>
  );
}

const heads = [
  '',
  'Status',
  'Task',
  'Session',
  'Host',
  'Folder',
  'Started',
  'Time',
  'CPU',
  'Memory',
  'Output',
  'Ports',
];

function Head() {
  return (
    <div class="head" role="rowgroup">
      <div class="row" role="row" aria-rowindex={1}>
        {heads
          .filter((name) => name !== 'Host' || hasHosts.value)
          .map((name) => (
            <span role="columnheader" key={name} class={`cell ${name.toLowerCase() || 'pick'}`}>
              {name === '' ? <span class="hidden">Selected</span> : name}
            </span>
          ))}
      </div>
    </div>
  );
}

interface RowProps {
  readonly row: TaskRow;
  readonly index: number;
  readonly top: number;
  readonly isActive: boolean;
}

function Row({ row, index, top, isActive }: RowProps) {
  const { taskId, status, name, command, sessionId, cwd } = row;
  const isSelected = selected.value.has(taskId);
  const samples = isLive(row) ? usage.value.get(taskId) : undefined;
  const [cpu, memory] = samples?.at(-1) ?? [null, null];
  const listening = isLive(row) || row.leftovers > 0 ? (ports.value.get(taskId) ?? []).join(', ') : '';
  const begin = row.startedAt ?? row.createdAt;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the grid takes the keys
    <div
      id={`row-${taskId}`}
      class={`row ${isActive ? 'active' : ''}`}
      role="row"
      tabIndex={-1}
      aria-rowindex={index + 2}
      aria-selected={isSelected}
      style={{ transform: `translateY(${top}px)` }}
      onClick={(event) => clicked(event, row)}
    >
      <span class="cell pick" role="gridcell">
        <input
          type="checkbox"
          tabIndex={-1}
          aria-label={`Select ${titleOf(row)}`}
          checked={isSelected}
          onChange={() => toggleSelected(taskId)}
        />
      </span>
      <span class={`cell status ${status}`} role="gridcell">
        <span aria-hidden="true">{signs[status]}</span> {fateOf(row)}
        {!row.delivered && !isLive(row) && (
          <span class="pending" title="Its session has not acknowledged the end">
            {' '}
            ●<span class="hidden"> pending</span>
          </span>
        )}
      </span>
      <span class="cell task" role="gridcell" title={visible(command)}>
        <a href={`#/task/${taskId}`} tabIndex={-1}>
          {name === null ? <code>{visible(command)}</code> : visible(name)}
        </a>
        {name !== null && <code class="dim"> {visible(command)}</code>}
        {row.leftovers > 0 && <span class="left"> left {row.leftovers} running</span>}
      </span>
      <span class="cell session" role="gridcell" title={visible(sessionId)}>
        {visible(sessionId)}
      </span>
      {hasHosts.value && (
        <span class="cell host" role="gridcell">
          {row.host ?? 'here'}
        </span>
      )}
      <span class="cell folder" role="gridcell" title={visible(cwd)}>
        {shortFolder(cwd)}
      </span>
      <span class="cell started" role="gridcell" title={shownTime(begin)}>
        {agoOf(begin, now.value)}
      </span>
      <span class="cell time" role="gridcell">
        {durationOf(row, now.value)}
      </span>
      <span class="cell cpu" role="gridcell">
        {samples && <Sparkline samples={samples} />}
        {cpu === null ? '' : `${Math.round(cpu)} %`}
      </span>
      <span class="cell memory" role="gridcell">
        {memory === null ? '' : shownBytes(memory)}
      </span>
      <span class="cell output" role="gridcell">
        {shownBytes(row.bytes)}
      </span>
      <span class="cell ports" role="gridcell" title={listening}>
        {listening}
      </span>
    </div>
  );
}

function clicked(event: MouseEvent, { taskId }: TaskRow): void {
  activeId.value = taskId;
  const target = event.target as HTMLElement;
  // Selected text is to be copied, and the check box has its own click.
  if (target.closest('.pick') !== null || getSelection()?.isCollapsed === false) return;
  if (event.ctrlKey || event.metaKey) {
    if (target.closest('a') === null) toggleSelected(taskId);
    return;
  }
  show(taskId);
}

function activeIndex(all: readonly TaskRow[]): number {
  return Math.max(
    0,
    all.findIndex(({ taskId }) => taskId === activeId.value),
  );
}

const steps: Readonly<Record<string, number>> = {
  ArrowDown: 1,
  j: 1,
  ArrowUp: -1,
  k: -1,
  PageDown: 15,
  PageUp: -15,
  Home: Number.NEGATIVE_INFINITY,
  End: Number.POSITIVE_INFINITY,
};

function takeKey(event: KeyboardEvent, rowHeight: number): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const all = rows.value;
  const at = activeIndex(all);
  const step = Object.hasOwn(steps, event.key) ? steps[event.key] : undefined;
  if (step !== undefined) {
    const next = all[Math.min(all.length - 1, Math.max(0, at + step))];
    activeId.value = next?.taskId ?? null;
    bringIntoSight(event.currentTarget as HTMLElement, all.indexOf(next as TaskRow), rowHeight);
  } else if (!takeVerb(event.key, all[at])) return;
  event.preventDefault();
}

function takeVerb(key: string, row: TaskRow | undefined): boolean {
  if (row === undefined) return false;
  const meant = selectedIds.value.length > 0 ? selectedIds.value : [row.taskId];
  if (key === 'Enter') show(row.taskId);
  else if (key === ' ') {
    activeId.value = row.taskId;
    toggleSelected(row.taskId);
  } else if (served.value.readOnly) return false;
  else if (key === 'x') askTo('stop', meant);
  else if (key === 'a') askTo('acknowledge', meant);
  else if (key === 'r') askTo('restart', meant);
  else return false;
  return true;
}

/** When a person comes back from a task, the list is where it was, with the keyboard focus too. */
function comeBack(box: HTMLElement, rowHeight: number): void {
  const index = rows.peek().findIndex(({ taskId }) => taskId === activeId.peek());
  if (index < 0) return;
  // The rows get their height only after this is drawn.
  bringIntoSight(box, index, rowHeight);
  if (document.activeElement === document.body) box.focus({ preventScroll: true });
}

function bringIntoSight(box: HTMLElement, index: number, rowHeight: number): void {
  const [top, seen] = [index * rowHeight, box.clientHeight - rowHeight];
  if (top < box.scrollTop) box.scrollTop = top;
  else if (top + rowHeight > box.scrollTop + seen) box.scrollTop = top + rowHeight - seen;
}
