import { useSignal } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { visible } from '../../util/visible.ts';
import type { TaskRow } from '../protocol.ts';
import { shownDuration, shownTime } from '../shown.ts';
import { beginOf, endOf, isLive } from './filter.ts';
import { now, rows, show, span } from './state.ts';
import { fateOf } from './status.ts';
import { titleOf } from './task-words.ts';
import { type TimeScale, timeScale } from './time-scale.ts';

/** How many bars it draws at most: for the newest tasks. */
const mostBars = 2_000;

const [laneHeight, axisHeight, labelWidth] = [12, 20, 130];

/** Tasks of a session that ran at the same time are drawn below each other, in at most this many lanes. */
const mostLanes = 6;

/** A drag of fewer pixels is a click. */
const leastDrag = 4;

interface Bar {
  readonly row: TaskRow;
  readonly lane: number;
}

interface Group {
  readonly sessionId: string;
  readonly firstLane: number;
  readonly lanes: number;
}

/**
 * Which tasks ran when, and how they ended. A click on a bar opens the task. Dragging the pointer selects the time that
 * the list shows.
 */
export function Timeline() {
  const box = useRef<HTMLDivElement>(null);
  const width = useSignal(800);
  const isOpen = useSignal(true);
  const brush = useSignal<{ readonly from: number; readonly to: number } | null>(null);
  useEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const observer = new ResizeObserver(() => (width.value = element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, [isOpen.value, rows.value.length > 0]);
  const shown = rows.value.slice(0, mostBars);
  // Growing bars are drawn again every five seconds.
  const time = Math.ceil(now.value / 5_000) * 5_000;
  const drawn = useMemo(() => lanesOf(shown, time), [rows.value, time]);
  if (shown.length === 0) return null;
  const wide = Math.max(100, width.value - labelWidth);
  const scale = timeScale(
    shown.map((row) => ({ from: beginOf(row), to: endOf(row, time) })),
    wide,
  );
  const height = drawn.lanes * laneHeight + axisHeight;
  return (
    <details
      class="timeline"
      open={isOpen.value}
      onToggle={({ currentTarget }) => (isOpen.value = currentTarget.open)}
    >
      <summary>Timeline</summary>
      <div ref={box} class="lanes">
        {/* biome-ignore lint/a11y/useKeyWithClickEvents: the list below says the same, and takes keys */}
        <svg
          width={labelWidth + wide}
          height={height}
          role="img"
          aria-label={`Timeline of ${shown.length} tasks; the list below says the same`}
          onClick={clicked}
          onPointerDown={(event) => startBrush(event, scale, brush)}
        >
          {drawn.groups.map(({ sessionId, firstLane, lanes }) => (
            <g key={sessionId}>
              <rect
                class="band"
                x={0}
                y={firstLane * laneHeight}
                width={labelWidth + wide}
                height={lanes * laneHeight - 1}
              />
              <text class="label" x={4} y={firstLane * laneHeight + laneHeight - 3}>
                {visible(sessionId).slice(0, 19)}
              </text>
            </g>
          ))}
          <g transform={`translate(${labelWidth} 0)`}>
            {drawn.bars.map(({ row, lane }) => (
              <BarOf key={row.taskId} row={row} lane={lane} scale={scale} time={time} />
            ))}
            <Axis scale={scale} height={height} />
            {brush.value !== null && (
              <rect
                class="brush"
                x={Math.min(brush.value.from, brush.value.to)}
                y={0}
                width={Math.abs(brush.value.to - brush.value.from)}
                height={height}
              />
            )}
          </g>
        </svg>
      </div>
    </details>
  );
}

function BarOf({ row, lane, scale, time }: Bar & { scale: TimeScale; time: number }) {
  const x = scale.xOf(beginOf(row));
  const width = Math.max(3, scale.xOf(endOf(row, time)) - x);
  return (
    <rect
      class={`bar ${row.status}`}
      data-task={row.taskId}
      x={x}
      y={lane * laneHeight + 1}
      width={width}
      height={laneHeight - 3}
      rx={2}
    >
      <title>{`${titleOf(row).slice(0, 100)}: ${fateOf(row)}`}</title>
    </rect>
  );
}

function Axis({ scale, height }: { scale: TimeScale; height: number }) {
  const y = height - 6;
  return (
    <g class="axis">
      {scale.stretches.map(({ from, to, isGap, x, width }) =>
        isGap ? (
          <g key={from}>
            <rect class="gap" x={x} y={0} width={width} height={height - axisHeight} />
            <text x={x + width / 2} y={y} text-anchor="middle" class="gap-label">
              {shownDuration(to - from).split(' ')[0]}
            </text>
          </g>
        ) : (
          width > 60 && (
            <text key={from} x={x + 2} y={y}>
              {shownTime(from).slice(11, 16)}
            </text>
          )
        ),
      )}
    </g>
  );
}

function clicked(event: MouseEvent): void {
  const taskId = (event.target as Element).getAttribute('data-task');
  if (taskId !== null) show(taskId);
}

function startBrush(
  event: PointerEvent,
  scale: TimeScale,
  brush: { value: { readonly from: number; readonly to: number } | null },
): void {
  const svg = event.currentTarget as SVGSVGElement;
  const xOf = ({ clientX }: PointerEvent): number =>
    Math.max(0, clientX - svg.getBoundingClientRect().left - labelWidth);
  const from = xOf(event);
  // A touch scrolls the page.
  if (event.pointerType === 'touch' || event.button !== 0) return;
  const moved = (move: PointerEvent): void => {
    const to = xOf(move);
    if (brush.value !== null || Math.abs(to - from) >= leastDrag) brush.value = { from, to };
  };
  const ended = (): void => {
    removeEventListener('pointermove', moved);
    const drawn = brush.value;
    brush.value = null;
    if (drawn === null) return;
    const [one, other] = [scale.timeAt(drawn.from), scale.timeAt(drawn.to)];
    span.value = { from: Math.min(one, other), to: Math.max(one, other) };
  };
  addEventListener('pointermove', moved);
  addEventListener('pointerup', ended, { once: true });
}

/** Gives each task a lane of its session that is free when the task begins. */
function lanesOf(tasks: readonly TaskRow[], time: number) {
  const bySession = new Map<string, TaskRow[]>();
  for (const row of tasks) bySession.set(row.sessionId, [...(bySession.get(row.sessionId) ?? []), row]);
  const bars: Bar[] = [];
  const groups: Group[] = [];
  let lanes = 0;
  for (const [sessionId, ofSession] of [...bySession].sort(
    ([, a], [, b]) => newest(b, time) - newest(a, time),
  )) {
    const ends: number[] = [];
    for (const row of [...ofSession].sort((a, b) => beginOf(a) - beginOf(b))) {
      const free = ends.findIndex((end) => end <= beginOf(row));
      const lane = free >= 0 ? free : Math.min(ends.length, mostLanes - 1);
      ends[lane] = Math.max(ends[lane] ?? 0, endOf(row, time));
      bars.push({ row, lane: lanes + lane });
    }
    groups.push({ sessionId, firstLane: lanes, lanes: ends.length });
    lanes += ends.length;
  }
  return { bars, groups, lanes };
}

function newest(tasks: readonly TaskRow[], time: number): number {
  return Math.max(...tasks.map((row) => (isLive(row) ? time : endOf(row, time))));
}
