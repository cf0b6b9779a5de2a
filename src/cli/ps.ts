import type { Store } from '../api/store.ts';
import { OutliveError } from '../errors/error.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { isEnded } from '../model/words.ts';
import { exitStatus } from './exit-status.ts';
import type { Io } from './io.ts';
import { type CommonOptions, sessionIdOf, withStore } from './open.ts';
import { visible } from './present/text.ts';

interface PsOptions extends CommonOptions {
  readonly all?: boolean;
  readonly allSessions?: boolean;
  readonly watch?: boolean;
}

/** CPU is what was used between two looks at least so far apart, in milliseconds. */
const sampleMs = 15;

/** `outlive ps`: the tasks that run, or all. */
export async function ps(io: Io, _operands: readonly string[], options: PsOptions): Promise<number> {
  if (options.watch && (!io.terminal || io.json)) {
    throw new OutliveError(
      'USAGE',
      'expected --watch on a terminal, without --json; found no terminal. Use: outlive completions --follow',
    );
  }
  return await withStore(options, async (store) => {
    if (options.watch) {
      const { redraw } = await import('./redraw.ts');
      await redraw(io, async () => (await list(io, store, options)) || nothing(io, options));
    } else await io.out(await list(io, store, options));
    return exitStatus.ok;
  });
}

async function list(io: Io, store: Store, options: PsOptions): Promise<string> {
  const filter = {
    live: options.all !== true,
    ...(!options.allSessions && { sessionId: sessionIdOf(options) }),
  };
  if (io.json) {
    const { jsonLine } = await import('./present/task.ts');
    return (await store.tasks(filter)).map(jsonLine).join('');
  }
  // What is done until it is read is the time over which CPU is measured.
  const meter = await store.meter();
  const { headingOf, rowOf } = await import('./present/ps-rows.ts');
  const table = io.terminal ? await import('./present/table.ts') : null;
  const tasks = await store.tasks({ ...filter, meter, previewBytes: 0 });
  if (tasks.length === 0 && io.terminal) io.note(nothing(io, options));
  if (tasks.length === 0) return '';
  const begun = tasks.map((task) => ({ taskId: task.taskId, row: rowOf(io, task, options) }));
  const usage = await meter.read(tasks.filter(mayHaveProcesses).map(idOf), sampleMs);
  const rows = begun.map(({ taskId, row }) => row(usage.get(taskId)));
  if (table === null) return rows.map((row) => `${row.join('\t')}\n`).join('');
  return table.tableText(headingOf(options), rows, io.columns);
}

function mayHaveProcesses({ status, leftovers }: TaskSnapshot): boolean {
  return !isEnded(status) || leftovers.length > 0;
}

function idOf({ taskId }: TaskSnapshot): string {
  return taskId;
}

function nothing(io: Io, options: PsOptions): string {
  const where = options.allSessions ? 'in this store' : `in session ${visible(sessionIdOf(options))}`;
  return options.all
    ? `no task is ${where}`
    : `nothing runs ${where}; those that ended are listed by: ${io.hint('ps', '-a')}`;
}
