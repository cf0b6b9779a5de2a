import { realpathSync } from 'node:fs';
import { isAbsolute, relative, sep } from 'node:path';
import type { Store, TaskFilter } from '../api/store.ts';
import { expected, tolerate } from '../errors/expected.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { isEnded, type TaskStatus } from '../model/words.ts';
import { currentFolder } from '../platform/current-folder.ts';
import { type CommonOptions, sessionIdOf } from './open.ts';

/** Which tasks are listed. */
export interface PsFilter extends CommonOptions {
  readonly all?: boolean;
  readonly allSessions?: boolean;
  /** One of them. */
  readonly status?: readonly TaskStatus[];
  /** All of them; `null`: with any value. */
  readonly label?: Readonly<Record<string, string | null>>;
  /** `*` stands for any text. */
  readonly name?: string;
  readonly here?: boolean;
  /** Only the newest. */
  readonly last?: number;
}

const missing = expected('absent', 'refused');

/** Whether tasks that have ended are listed, too. */
export function listsEnded({ all, last, status }: PsFilter): boolean {
  return status === undefined ? all === true || last !== undefined : status.some(isEnded);
}

/** Which tasks the store is asked for. */
export function storeFilterOf(filter: PsFilter): Pick<TaskFilter, 'live' | 'sessionId'> {
  return { live: !listsEnded(filter), ...(!filter.allSessions && { sessionId: sessionIdOf(filter) }) };
}

/** Tells which tasks are meant, but for how many. */
export function matcherOf({ status, label, name, here }: PsFilter): (task: TaskSnapshot) => boolean {
  const folder = here ? realFolder(currentFolder()) : null;
  const labels = Object.entries(label ?? {});
  return (task) =>
    (status === undefined || status.includes(task.status)) &&
    (name === undefined || (task.name !== null && fits(task.name, name))) &&
    labels.every(([key, value]) => hasLabel(task, key, value)) &&
    (folder === null || isIn(realFolder(task.cwd), folder));
}

/** The tasks that are meant; with `last` the newest ones, the oldest of them first, else in no order. */
export async function* tasksMeant(
  store: Store,
  filter: PsFilter,
  options: Pick<TaskFilter, 'meter' | 'previewBytes'>,
): AsyncGenerator<TaskSnapshot, void, undefined> {
  const isMeant = matcherOf(filter);
  let newest: TaskSnapshot[] = [];
  for await (const task of store.eachTask({ ...storeFilterOf(filter), ...options })) {
    if (!isMeant(task)) continue;
    if (filter.last === undefined) yield task;
    else if (newest.push(task) > 2 * filter.last + 1000) newest = newestOf(newest, filter.last);
  }
  if (filter.last !== undefined) yield* newestOf(newest, filter.last);
}

/** The newest of some tasks, the oldest of them first. */
export function newestOf(tasks: readonly TaskSnapshot[], count: number): TaskSnapshot[] {
  return count === 0 ? [] : tasks.toSorted((a, b) => a.createdAt - b.createdAt).slice(-count);
}

function hasLabel({ labels }: TaskSnapshot, key: string, value: string | null): boolean {
  return Object.hasOwn(labels, key) && (value === null || labels[key] === value);
}

/** Whether a name is as a pattern says, in which each `*` stands for any text. */
export function fits(name: string, pattern: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return name === pattern;
  if (!name.startsWith(first) || !name.endsWith(last)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at + last.length <= name.length;
}

function isIn(folder: string, above: string): boolean {
  const path = relative(above, folder);
  return !isAbsolute(path) && path !== '..' && !path.startsWith(`..${sep}`);
}

/** The folder itself, whatever links lead there; one that is gone is what it was called. */
function realFolder(path: string): string {
  try {
    return realpathSync.native(path);
  } catch (error) {
    tolerate(error, missing, 'finding the folder of a task');
    return path;
  }
}
