import { computed, effect, signal } from '@preact/signals';
import type { TaskRow, TasksData } from '../protocol.ts';
import { announceEnd } from './announce.ts';
import { filterOf, isLive, isWithin, type Span } from './filter.ts';
import { connection, linkState, open } from './link.ts';

/** A sample of the usage of a task: percent of a core, bytes, processes. */
export type Sample = readonly [cpu: number, memory: number, processes: number];

/** Samples are kept for a minute: one comes every two seconds. */
const mostSamples = 30;

/** After this time, in milliseconds, a hidden page gets no usage. */
const unseenMs = 3_000;

/** All tasks, by id. A new map whenever one changes. */
export const tasks = signal<ReadonlyMap<string, TaskRow>>(new Map());
/** Whether all tasks that existed at the beginning have arrived. */
export const isReady = signal(false);
export const usage = signal<ReadonlyMap<string, readonly Sample[]>>(new Map());
/** The ports on which tasks listen now. */
export const ports = signal<ReadonlyMap<string, readonly number[]>>(new Map());
export const filterText = signal('');
export const span = signal<Span | null>(null);
export const selected = signal<ReadonlySet<string>>(new Set());
/** The task that has the focus in the list. */
export const activeId = signal<string | null>(null);
/** The time. It is updated every second while the page is visible. */
export const now = signal(Date.now());
/** The task that is shown, from the address; null: none. */
export const shownTaskId = signal<string | null>(null);

/** Why the fleet cannot be asked for its tasks; empty if it can, or there is no fleet. */
export const fleetTrouble = signal('');

const isSeen = signal(!document.hidden);

/** The tasks that match the filter, the newest first. */
export const rows = computed<readonly TaskRow[]>(() => {
  const test = filterOf(filterText.value);
  const within = span.value;
  const time = within === null ? 0 : now.peek();
  return [...tasks.value.values()]
    .filter((row) => test(row) && isWithin(row, within, time))
    .sort((a, b) => b.createdAt - a.createdAt || (a.taskId < b.taskId ? 1 : -1));
});

/** How many tasks have each status, without regard to the filter. */
export const counts = computed(() => {
  const found = new Map<string, number>();
  for (const { status } of tasks.value.values()) found.set(status, (found.get(status) ?? 0) + 1);
  return found;
});

/** Whether there are tasks on other hosts. Then the list has a column for the host. */
export const hasHosts = computed(() => [...tasks.value.values()].some(({ host }) => host !== undefined));

const liveCount = computed(() => [...tasks.value.values()].filter(isLive).length);

/** Starts to follow the store and the address. */
export function begin(): void {
  readAddress();
  addEventListener('hashchange', readAddress);
  setInterval(() => {
    if (!document.hidden) now.value = Date.now();
  }, 1_000);
  followSight();
  effect(() => {
    // It starts again with each connection, and when the page becomes visible or hidden.
    if (connection.value === 0) return undefined;
    const usageWanted = isSeen.value;
    return followTasks(usageWanted);
  });
  effect(() => {
    const running = liveCount.value;
    document.title = `${running > 0 ? `(${running}) ` : ''}outlive`;
  });
}

export function show(taskId: string | null): void {
  location.hash = taskId === null ? '#/' : `#/task/${taskId}`;
}

function readAddress(): void {
  shownTaskId.value = /^#\/task\/((?:[a-z0-9-]{1,63}\/)?bgb-[0-9a-f]{12})$/.exec(location.hash)?.[1] ?? null;
}

function followSight(): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  document.addEventListener('visibilitychange', () => {
    clearTimeout(timer);
    if (!document.hidden) {
      now.value = Date.now();
      isSeen.value = true;
    } else timer = setTimeout(() => (isSeen.value = false), unseenMs);
  });
}

function followTasks(withUsage: boolean): () => void {
  /** The rows that arrive before `ready`. They then replace all known rows at once. */
  let first: Map<string, TaskRow> | null = new Map();
  let changed: Map<string, TaskRow | null> = new Map();
  let frame: ReturnType<typeof setTimeout> | undefined;
  const apply = (): void => {
    frame = undefined;
    const next = new Map(tasks.peek());
    for (const [taskId, row] of changed) {
      if (row === null) next.delete(taskId);
      else next.set(taskId, row);
    }
    changed = new Map();
    tasks.value = next;
  };
  const change = (taskId: string, row: TaskRow | null): void => {
    changed.set(taskId, row);
    // Changes that come together are drawn together, within 16 ms.
    frame ??= setTimeout(apply, 16);
  };
  const channel = open<TasksData>(
    { kind: 'tasks', usage: withUsage },
    {
      data(data) {
        if (data.kind === 'tasks') {
          for (const row of data.tasks) {
            if (first !== null) first.set(row.taskId, row);
            else if (isReady.peek()) announceEnd(tasks.peek().get(row.taskId), row);
            if (first === null || !isReady.peek()) change(row.taskId, row);
          }
        } else if (data.kind === 'ready') {
          if (isReady.peek() && first !== null)
            for (const row of first.values()) announceEnd(tasks.peek().get(row.taskId), row);
          clearTimeout(frame);
          frame = undefined;
          changed = new Map();
          tasks.value = first ?? tasks.peek();
          first = null;
          isReady.value = true;
        } else if (data.kind === 'gone') change(data.taskId, null);
        else if (data.kind === 'fleet') fleetTrouble.value = data.error?.message ?? '';
        else {
          addUsage(data.usage);
          ports.value = new Map(Object.entries(data.ports));
        }
      },
      end(error) {
        // A lost connection is made again, and then this channel too.
        if (error !== null && error.code !== 'DISCONNECTED') console.error(error.message);
      },
    },
  );
  return () => {
    clearTimeout(frame);
    channel.close();
  };
}

function addUsage(found: Readonly<Record<string, Sample>>): void {
  const next = new Map<string, readonly Sample[]>();
  for (const [taskId, sample] of Object.entries(found))
    next.set(taskId, [...(usage.peek().get(taskId) ?? []), sample].slice(-mostSamples));
  usage.value = next;
}

/** The selected tasks that still exist. */
export const selectedIds = computed(() => [...selected.value].filter((id) => tasks.value.has(id)));

export function toggleSelected(taskId: string): void {
  const next = new Set(selected.value);
  if (!next.delete(taskId)) next.add(taskId);
  selected.value = next;
}

export const isDisconnected = computed(() => linkState.value === 'lost' || linkState.value === 'stranger');
