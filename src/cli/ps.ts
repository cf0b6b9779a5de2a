import type { Store } from '../api/store.ts';
import type { ListeningPort } from '../engine/processes/listening.ts';
import { conversationOf } from '../engine/session/conversation.ts';
import { OutliveError } from '../errors/error.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { isEnded } from '../model/words.ts';
import { currentFolderOrNull } from '../platform/current-folder.ts';
import { visible } from '../util/visible.ts';
import { exitStatus } from './exit-status.ts';
import type { Io } from './io.ts';
import { sessionIdOf, withStoreToRead } from './open.ts';
import { KeptLines } from './present/kept-lines.ts';
import { listsEnded, matcherOf, newestOf, type PsFilter, storeFilterOf, tasksMeant } from './ps-filter.ts';

interface PsOptions extends PsFilter {
  readonly watch?: boolean;
  /** Only ids. */
  readonly quiet?: boolean;
}

/** How many tasks are named that others have left running. */
const mostLeft = 3;

/** CPU is the use between two samples that are at least this far apart, in milliseconds. */
const sampleMs = 15;

/** `outlive ps`: the tasks that run, or those that are asked for. */
export async function ps(io: Io, _operands: readonly string[], options: PsOptions): Promise<number> {
  checkOptions(io, options);
  return await withStoreToRead(options, async (store) => {
    if (options.watch) await watch(io, store, options);
    else if (options.quiet) await listIds(io, store, options);
    else if (io.json) await listJson(io, store, options);
    else await listRows(io, store, options);
    return exitStatus.ok;
  });
}

function checkOptions(io: Io, { watch, quiet }: PsOptions): void {
  if (quiet && (io.json || watch))
    throw new OutliveError(
      'USAGE',
      `expected -q alone; found ${watch ? '--watch' : '--json'} as well. See: outlive ps --help`,
    );
  if (watch && (!io.terminal || io.json))
    throw new OutliveError(
      'USAGE',
      'expected --watch on a terminal, without --json; found no terminal. Use: outlive completions --follow',
    );
}

async function watch(io: Io, store: Store, options: PsOptions): Promise<void> {
  const { columnsOf, rowOf } = await import('./present/ps-rows.ts');
  const { tableText } = await import('./present/table.ts');
  const { watchTasks } = await import('./ps-watch.ts');
  const columns = shownColumns(options);
  const isMeant = matcherOf(options);
  await watchTasks(io, store, storeFilterOf(options), (all, processesOf) => {
    const meant = all.filter(isMeant);
    const tasks = options.last === undefined ? meant : newestOf(meant, options.last);
    const rows = tasks.map((task) =>
      rowOf(
        io,
        task,
        columns,
      )(mayHaveProcesses(task) ? processesOf(task.taskId) : { usage: undefined, ports: undefined }),
    );
    return rows.length === 0 ? nothing(io, options) : tableText(columnsOf(columns), rows, io.columns);
  });
}

async function listIds(io: Io, store: Store, options: PsOptions): Promise<void> {
  const lines = new KeptLines();
  for await (const { taskId, createdAt } of tasksMeant(store, options, { previewBytes: 0 }))
    lines.add(createdAt, `${taskId}\n`);
  for (const piece of lines.pieces()) await io.out(piece);
}

async function listJson(io: Io, store: Store, options: PsOptions): Promise<void> {
  const { jsonLine } = await import('./present/task.ts');
  const lines = new KeptLines();
  for await (const task of tasksMeant(store, options, {})) lines.add(task.createdAt, jsonLine(task));
  for (const piece of lines.pieces()) await io.out(piece);
}

async function listRows(io: Io, store: Store, options: PsOptions): Promise<void> {
  // What is done until it is read is the time over which CPU is measured.
  const meter = await store.meter();
  const { columnsOf, rowOf } = await import('./present/ps-rows.ts');
  const table = io.terminal ? await import('./present/table.ts') : null;
  const columns = shownColumns(options);
  const lines = new KeptLines();
  const running: { readonly task: TaskSnapshot; readonly row: ReturnType<typeof rowOf> }[] = [];
  for await (const task of tasksMeant(store, options, { meter, previewBytes: 0 })) {
    const row = rowOf(io, task, columns);
    if (mayHaveProcesses(task)) running.push({ task, row });
    else lines.add(task.createdAt, lineOf(row({ usage: undefined, ports: undefined })));
  }
  const ids = running.map(({ task }) => task.taskId);
  const ports: ReadonlyMap<string, ListeningPort[]> = ids.length === 0 ? new Map() : meter.ports(ids);
  const usage = await meter.read(ids, sampleMs);
  for (const { task, row } of running) {
    const { taskId, createdAt } = task;
    lines.add(createdAt, lineOf(row({ usage: usage.get(taskId), ports: ports.get(taskId) })));
  }
  if (lines.count === 0) return await sayNothing(io, store, options);
  const rows = { [Symbol.iterator]: () => rowsIn(lines) };
  const pieces = table === null ? lines.pieces() : table.tableTexts(columnsOf(columns), rows, io.columns);
  for (const piece of pieces) await io.out(piece);
}

/** Where those that ended are listed, too, dates say more than ages. */
function shownColumns(options: PsOptions): { readonly allSessions: boolean; readonly dates: boolean } {
  return { allSessions: options.allSessions === true, dates: listsEnded(options) };
}

/** No cell has a tab or a line break in it: nothing invisible is left in one. */
function lineOf(cells: readonly string[]): string {
  return `${cells.join('\t')}\n`;
}

function* rowsIn(lines: KeptLines): Generator<string[], void, undefined> {
  for (const line of lines.inOrder()) yield line.slice(0, -1).split('\t');
}

function mayHaveProcesses({ status, leftovers }: TaskSnapshot): boolean {
  return !isEnded(status) || leftovers.length > 0;
}

/** An agent that starts anew asks what runs, and is to learn what the one before has left. */
async function sayNothing(io: Io, store: Store, options: PsOptions): Promise<void> {
  if (io.terminal) io.note(nothing(io, options));
  const isAgents = conversationOf({ env: process.env }) !== null;
  const folder = currentFolderOrNull();
  if (folder === null || options.allSessions || (!io.terminal && !isAgents)) return;
  const { leftRunning } = await import('../api/left-running.ts');
  const left = await leftRunning(store, folder, sessionIdOf(options));
  if (left.length === 0) return;
  const named = left
    .slice(0, mostLeft)
    .map(({ taskId, name }) => (name === null ? taskId : `${taskId} (${name})`));
  const more = left.length > mostLeft ? ` and ${left.length - mostLeft} more` : '';
  io.note(
    `these tasks run in this folder, in sessions that no process has open: ${named.join(', ')}${more}. Take one over by its id: ${io.hint('show', left[0]?.taskId ?? '')}`,
  );
}

function nothing(io: Io, options: PsOptions): string {
  const where = options.allSessions ? 'in this store' : `in session ${visible(sessionIdOf(options))}`;
  const { status, label, name, here } = options;
  const isFiltered = [status, label, name, here].some((filter) => filter !== undefined);
  const found = isFiltered ? 'no such task is' : 'no task is';
  if (listsEnded(options)) return `${found} ${where}`;
  return isFiltered
    ? `no such task runs ${where}; add -a to list ended tasks, too`
    : `no task runs ${where}; list ended tasks with: ${io.hint('ps', '-a')}`;
}
