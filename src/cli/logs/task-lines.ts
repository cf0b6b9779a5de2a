import type { Store } from '../../api/store.ts';
import type { TaskReader } from '../../api/task-reader.ts';
import type { LineMatcher } from '../../model/line-search.ts';
import type { TaskSnapshot } from '../../model/snapshot.ts';
import { type Io, noColours } from '../io.ts';
import { LossNotice, noteGap } from '../output.ts';
import { headline, jsonLine } from '../present/task.ts';
import { beginOf, type Range, type Stream } from './begin.ts';
import { LinePrinter } from './line-printer.ts';
import { type Line, LineSource } from './line-source.ts';
import { type Batches, mergeLines } from './merge-lines.ts';
import { Prefixes } from './prefixes.ts';

/** How the lines of tasks are printed. */
export interface TaskLinesOptions {
  /** The name of its task stands in front of each line. */
  readonly named: boolean;
  /** Only lines in which this is found. */
  readonly matcher: LineMatcher | null;
  readonly timestamps: boolean;
  readonly plain: boolean;
  /** More is to come. */
  readonly follow: boolean;
}

/** A task whose lines are printed. */
interface ShownTask {
  readonly task: TaskReader;
  readonly sources: readonly LineSource[];
  readonly losses: LossNotice;
}

/** Prints what several tasks have written, or several streams of one, line by line. */
export class TaskLines {
  readonly #io: Io;
  readonly #store: Store;
  readonly #options: TaskLinesOptions;
  readonly #prefixes: Prefixes | null;
  readonly #printer: LinePrinter;

  constructor(io: Io, store: Store, options: TaskLinesOptions) {
    const { named, timestamps, plain } = options;
    this.#io = io;
    this.#store = store;
    this.#options = options;
    this.#prefixes = named ? new Prefixes(io) : null;
    this.#printer = new LinePrinter(io, { prefixes: this.#prefixes, timestamps, plain });
  }

  /**
   * Prints what the tasks have written so far, in the order of time.
   * @returns what is to be called for what comes.
   */
  async show(
    tasks: readonly { readonly snapshot: TaskSnapshot; readonly streams: readonly Stream[] }[],
    range: Range,
    abortSignal: AbortSignal,
  ): Promise<(() => Promise<void>)[]> {
    const { follow, matcher } = this.#options;
    const shown: ShownTask[] = [];
    for (const { snapshot, streams } of tasks) {
      this.#prefixes?.add(snapshot);
      shown.push(await this.#open(snapshot.taskId, streams, range));
    }
    const count = matcher === null ? undefined : range.lines;
    const histories = shown.flatMap(({ sources }) =>
      sources.map((source) => lastLines(source.history(!follow, abortSignal), count)),
    );
    for await (const lines of mergeLines(histories)) await this.#print(lines);
    await this.#printer.flush();
    if (!follow) for (const { task, losses } of shown) losses.end(task.snapshot());
    return follow ? shown.map((one) => () => this.#follow(one, abortSignal)) : [];
  }

  /** What ends the text. */
  async end(): Promise<void> {
    await this.#printer.end();
  }

  async #open(taskId: string, streams: readonly Stream[], range: Range): Promise<ShownTask> {
    const { matcher, timestamps, follow } = this.#options;
    const task = this.#store.task(taskId);
    const losses = new LossNotice(this.#io, taskId);
    // Which lines are the last, with a pattern only the search tells.
    const { lines: _lines, ...searched } = range;
    const sources: LineSource[] = [];
    for (const stream of streams) {
      const from = await beginOf(task, stream, matcher === null ? range : searched);
      const source = new LineSource(task, stream, {
        from,
        matcher,
        timed: timestamps || process.platform !== 'win32',
        prompts: follow && this.#io.terminal,
        notice: (chunk, stream) => {
          losses.see(chunk, stream);
          if (chunk.omittedBytes > 0) noteGap(this.#io, chunk);
        },
      });
      sources.push(source);
    }
    return { task, sources, losses };
  }

  async #follow({ task, sources, losses }: ShownTask, abortSignal: AbortSignal): Promise<void> {
    const reading = sources.map(async (source) => {
      for await (const lines of source.coming(abortSignal)) {
        await this.#print(lines);
        await this.#printer.flush();
      }
    });
    await Promise.all(reading);
    const snapshot = task.snapshot();
    losses.end(snapshot);
    if (this.#prefixes === null || abortSignal.aborted) return;
    await this.#printer.endLineOf(sources);
    this.#io.note(headline(snapshot, { colours: noColours }));
  }

  async #print(lines: readonly Line[]): Promise<void> {
    if (!this.#io.json) return await this.#printer.add(lines);
    const { timestamps } = this.#options;
    const found = lines.map(({ source, match, at }) => {
      const { task, stream } = source;
      return jsonLine({ taskId: task.id, stream, ...match, ...(timestamps && { writtenAt: at }) });
    });
    await this.#io.out(found.join(''));
  }
}

/** The last ones of what there is, or all. */
async function* lastLines(batches: Batches, count: number | undefined): Batches {
  if (count === undefined) return yield* batches;
  let last: Line[] = [];
  for await (const lines of batches) {
    // Not one by one: to move all of a long list costs.
    last.push(...lines);
    if (last.length > 2 * count + 1000) last = last.slice(last.length - count);
  }
  yield last.slice(Math.max(0, last.length - count));
}
