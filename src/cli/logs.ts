import type { Store } from '../api/store.ts';
import { compilePattern } from '../engine/watches/compile-pattern.ts';
import { OutliveError } from '../errors/error.ts';
import type { LineMatcher } from '../model/line-search.ts';
import { checkPattern } from '../model/pattern.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { isEnded } from '../model/words.ts';
import { firstOf } from '../util/abort.ts';
import { visible } from '../util/visible.ts';
import { exitStatus } from './exit-status.ts';
import { untilInterrupted } from './interrupt.ts';
import type { Io } from './io.ts';
import type { Range, Stream } from './logs/begin.ts';
import { printStream, type StreamOptions } from './logs/stream-printer.ts';
import { type CommonOptions, findAll, sessionIdOf, withStoreToRead } from './open.ts';
import { Pager } from './pager.ts';

interface LogsOptions extends CommonOptions, StreamOptions {
  readonly all?: boolean;
  readonly stdout?: boolean;
  readonly stderr?: boolean;
  /** A regular expression. */
  readonly grep?: string;
}

/** A task, and what of its output is printed. */
interface Chosen {
  readonly snapshot: TaskSnapshot;
  readonly streams: readonly Stream[];
}

/** Prints what tasks have written so far; each of what it returns prints what one of them writes from then on. */
type Show = (chosen: readonly Chosen[], range: Range) => Promise<(() => Promise<void>)[]>;

/** `outlive logs`: the output of tasks, or a stretch of it. */
export async function logs(io: Io, references: readonly string[], options: LogsOptions): Promise<number> {
  checkOptions(references, options);
  return await withStoreToRead(options, async (store) => {
    const pager = io.json || options.follow ? null : Pager.on(io);
    try {
      await untilInterrupted(async (interrupted) => {
        const ends = pager === null ? interrupted : AbortSignal.any([interrupted, pager.closed]);
        await printTasks(pager?.io ?? io, store, references, options, ends);
      });
    } finally {
      await pager?.close();
    }
    return exitStatus.ok;
  });
}

function checkOptions(references: readonly string[], options: LogsOptions): void {
  const { all, lines, bytes, offset, since, follow, grep } = options;
  const isStretch = bytes !== undefined || offset !== undefined;
  if (all !== true && references.length === 0)
    throw usage('a task, several, or --all', 'none. List tasks with: outlive ps -a');
  if (all && references.length > 0) throw usage('tasks, or --all', 'both');
  const clash = !isStretch
    ? null
    : since !== undefined
      ? '--since together with --bytes or --offset'
      : lines !== undefined
        ? '--lines together with --bytes or --offset'
        : grep !== undefined
          ? '--grep together with --bytes or --offset'
          : follow && bytes !== undefined && offset !== undefined
            ? '--follow together with --bytes and --offset'
            : null;
  if (clash !== null) throw usage('one way to say what to print', clash);
  if (isStretch && (all || references.length > 1))
    throw usage('one task with --bytes or --offset', all ? '--all' : `${references.length}`);
}

function usage(wanted: string, found: string): OutliveError {
  return new OutliveError('USAGE', `expected ${wanted}; found ${found}. See: outlive logs --help`);
}

async function printTasks(
  io: Io,
  store: Store,
  references: readonly string[],
  options: LogsOptions,
  abortSignal: AbortSignal,
): Promise<void> {
  const stop = new AbortController();
  const ends = firstOf(abortSignal, stop.signal);
  const following: Promise<void>[] = [];
  let way: { show: Show; end(): Promise<void> } | null = null;
  for await (const tasks of tasksMeant(io, store, references, options, ends)) {
    const chosen = tasks.flatMap((snapshot) => streamsOf(io, snapshot, options));
    if (tasks.length === 0 && !options.follow)
      io.note(`no task runs in session ${visible(sessionIdOf(options))}`);
    // Those that come later are new: all of their output is.
    const range = way === null ? options : {};
    way ??= await wayOf(io, store, chosen, options, ends);
    for (const follow of await way.show(chosen, range)) {
      const isOver = options.all ? untilRemoved(io, follow) : follow();
      isOver.catch((error: unknown) => stop.abort(error));
      following.push(isOver);
    }
  }
  await Promise.all(following);
  await way?.end();
}

/** A task that is removed has nothing more to say; the others have. */
async function untilRemoved(io: Io, follow: () => Promise<void>): Promise<void> {
  try {
    await follow();
  } catch (error) {
    if (!(error instanceof OutliveError) || error.code !== 'TASK_NOT_FOUND') throw error;
    io.note(error.message);
  }
}

/** The tasks that are meant: at once, and then each that comes. */
async function* tasksMeant(
  io: Io,
  store: Store,
  references: readonly string[],
  options: LogsOptions,
  abortSignal: AbortSignal,
): AsyncGenerator<readonly TaskSnapshot[], void, undefined> {
  const sessionId = sessionIdOf(options);
  if (!options.all) return yield findAll(io, store, references, options);
  if (!options.follow) return yield await store.tasks({ sessionId, live: true, previewBytes: 0 });
  const known = new Set<string>();
  // Also those that have ended: a task that starts and ends at once is still new.
  for await (const event of store.watch({ sessionId, abortSignal })) {
    const told = event.type === 'snapshot' ? event.tasks : event.type === 'changed' ? [event.task] : [];
    const fresh = told.filter(({ taskId }) => !known.has(taskId));
    for (const { taskId } of fresh) known.add(taskId);
    if (event.type === 'snapshot') yield fresh.filter(({ status }) => !isEnded(status));
    else if (fresh.length > 0) yield fresh;
  }
}

function streamsOf(io: Io, snapshot: TaskSnapshot, { stdout, stderr }: LogsOptions): Chosen[] {
  const { taskId, output } = snapshot;
  const isApart = output.stderrPath !== null;
  if (stderr && !stdout && !isApart) {
    io.note(`${taskId} writes stdout and stderr to one file: leave out --stderr`);
    return [];
  }
  const wantsOut = stdout || !stderr;
  const wantsErr = isApart && (stderr || !stdout);
  return [
    {
      snapshot,
      streams: [...(wantsOut ? (['stdout'] as const) : []), ...(wantsErr ? (['stderr'] as const) : [])],
    },
  ];
}

/** One stream is printed as it is; lines of several are not mixed. */
async function wayOf(
  io: Io,
  store: Store,
  chosen: readonly Chosen[],
  options: LogsOptions,
  abortSignal: AbortSignal,
): Promise<{ show: Show; end(): Promise<void> }> {
  const { grep, follow = false, timestamps = false, plain = false } = options;
  const streams = chosen.flatMap(({ streams }) => streams).length;
  if (streams > 1 && (options.bytes !== undefined || options.offset !== undefined))
    throw usage('--stdout or --stderr with --bytes or --offset', 'a task that keeps the two apart');
  if (grep === undefined && (io.json || (streams <= 1 && !options.all))) {
    const show: Show = async (chosen, range) => {
      const work = chosen.flatMap(({ snapshot, streams }) =>
        streams.map((stream) => async (): Promise<void> => {
          const how = { ...range, follow, timestamps, plain };
          await printStream(io, store.task(snapshot.taskId), stream, how, abortSignal);
        }),
      );
      if (follow) return work;
      for (const print of work) await print();
      return [];
    };
    return { show, end: async () => undefined };
  }
  const matcher = grep === undefined ? null : await matcherOf(grep);
  const named = options.all === true || chosen.length > 1;
  const { TaskLines } = await import('./logs/task-lines.ts');
  const lines = new TaskLines(io, store, { named, matcher, timestamps, plain, follow });
  return {
    show: (chosen, range) => lines.show(chosen, range, abortSignal),
    end: () => lines.end(),
  };
}

/** What is wrong with a pattern is told in words of the command line. */
async function matcherOf(grep: string): Promise<LineMatcher> {
  try {
    return await compilePattern(checkPattern({ regexp: grep }));
  } catch (error) {
    if (!(error instanceof OutliveError)) throw error;
    const message = error.message
      .replace('expected', 'expected --grep to be')
      .replace('the pattern to be ', '');
    throw new OutliveError('USAGE', `${message} See: outlive logs --help`, { cause: error });
  }
}
