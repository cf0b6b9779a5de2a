import type { StoreTask } from '../../api/store-task.ts';
import type { TaskSnapshot } from '../../model/snapshot.ts';
import { SerialQueue } from '../../util/queue.ts';
import type { Io } from '../io.ts';
import type { Stream } from '../logs/begin.ts';
import { headline } from '../present/task.ts';
import { shownBytes } from '../present/values.ts';
import { fitted, padded } from '../present/width.ts';
import { followLines } from './follow-lines.ts';
import { type LogLine, LogLines } from './log-lines.ts';
import { isBefore, type Place, Wrapped } from './log-place.ts';
import { marked } from './marked.ts';
import type { Size } from './painter.ts';
import { searchOutput, type Wanted } from './search.ts';
import { inverse, shownField, type View } from './view.ts';

/** By how many rows a key moves, on a page of so many. */
const moves: Readonly<Record<string, (page: number) => number>> = {
  up: () => -1,
  k: () => -1,
  down: () => 1,
  j: () => 1,
  enter: () => 1,
  pageup: (page) => -page,
  'ctrl-b': (page) => -page,
  b: (page) => -page,
  pagedown: (page) => page,
  'ctrl-f': (page) => page,
  ' ': (page) => page,
};

/** What the log needs of the rest of the program. */
export interface LogHost {
  readonly io: Io;
  /** There is something new to draw. */
  changed(): void;
  /** Shows a line below the log. */
  say(message: string): void;
  /** Lets work go on whose failure is shown. */
  go(work: Promise<unknown>): void;
}

/** The output of one task: it is followed at its end, and can be read and searched anywhere. */
export class LogView implements View {
  readonly #host: LogHost;
  readonly task: StoreTask;
  /** What is known of the task. */
  snapshot: TaskSnapshot;
  #stream: Stream = 'stdout';
  #lines: LogLines;
  #wrapped = new Wrapped(80);
  #size: Size = { columns: 80, rows: 24 };
  /** One at a time, in the order of the keys. */
  readonly #work = new SerialQueue();
  /** The line at the top, by its offset, and which of its rows. */
  #top = { offset: 0, row: 0 };
  /** Where the last row that is shown ends, or its line begins to go on below. */
  #bottom = 0;
  /** The end is shown, also when it moves. */
  #isPinned = true;
  #following: AbortController | null = null;
  #searching: AbortController | null = null;
  #search: { readonly wanted: Wanted; readonly isBackwards: boolean } | null = null;
  #found: number | null = null;

  constructor(host: LogHost, task: StoreTask, snapshot: TaskSnapshot) {
    this.#host = host;
    this.task = task;
    this.snapshot = snapshot;
    this.#lines = new LogLines(task, this.#stream);
    this.#do(() => this.#toEnd());
  }

  get hint(): string {
    const keys = '? keys  q back  / search  n N next  g G begin, end  o pager  x stop';
    if (this.#isPinned) return `${this.#following === null ? 'the end' : 'following'}  ${keys}`;
    return `${this.#part(this.#bottom)}% of ${shownBytes(this.#lines.size)}  ${keys}`;
  }

  get stream(): Stream {
    return this.#stream;
  }

  draw(size: Size): string[] {
    if (size.columns !== this.#size.columns) this.#wrapped = new Wrapped(size.columns);
    this.#size = size;
    this.#wrapped.lines = this.#lines.all;
    if (size.rows < 4) return this.#rows();
    const title = headline({ ...this.snapshot, command: shownField(this.snapshot.command) }, this.#host.io);
    const stream = this.#stream === 'stderr' ? 'stderr of ' : '';
    return [inverse(padded(fitted(stream + title, size.columns), size.columns)), ...this.#rows()];
  }

  press(key: string): boolean {
    const rows = Object.hasOwn(moves, key) ? moves[key]?.(Math.max(1, this.#height - 1)) : undefined;
    if (rows !== undefined) return this.#scroll(rows);
    if (key === 'home' || key === 'g') return this.#do(() => this.#toStart());
    if (key === 'end' || key === 'G' || key === 'F') return this.#do(() => this.#toEnd());
    if (key === 'n' || key === 'N') return this.#again(key === 'N');
    return key === 'tab' && this.#turn();
  }

  /** Breaks off what goes on. @returns whether something did: a search, or marks of one. */
  cancel(): boolean {
    const goesOn = this.#searching !== null || this.#search !== null;
    if (this.#searching !== null) this.#host.say('the search was stopped');
    this.#searching?.abort();
    this.#search = null;
    return goesOn;
  }

  /** Searches from where the reader is; at the end it searches backwards. */
  search(wanted: Wanted): void {
    this.#search = { wanted, isBackwards: this.#isPinned };
    this.#found = null;
    this.#again(false);
  }

  close(): void {
    this.#following?.abort();
    this.#searching?.abort();
  }

  get #height(): number {
    return this.#size.rows < 4 ? this.#size.rows - 1 : this.#size.rows - 2;
  }

  #rows(): string[] {
    const { lines } = this.#wrapped;
    if (lines.length === 0) return [this.#host.io.colours.dim('it has written nothing yet')];
    const rows: string[] = [];
    let place: Place | null = this.#place();
    const marks = new Map<LogLine, readonly string[]>();
    while (place !== null && rows.length < this.#height) {
      const line = lines[place.index];
      if (line === undefined) break;
      const texts = marks.get(line) ?? this.#texts(line);
      marks.set(line, texts);
      rows.push(texts[place.row] ?? '');
      place = this.#wrapped.below(place);
      this.#bottom = place === null ? this.#lines.end : (lines[place.index]?.offset ?? 0);
    }
    return rows;
  }

  #texts(line: LogLine): readonly string[] {
    const starts = this.#wrapped.starts(line);
    if (line.isNote)
      return starts.map((at, row) => this.#host.io.colours.dim(line.text.slice(at, starts[row + 1])));
    return marked(line.text, starts, this.#search?.wanted.matcher ?? null);
  }

  /** Where the top is among the lines that are there. */
  #place(): Place {
    const last = this.#wrapped.lastPage(this.#height);
    if (this.#isPinned) return last;
    const index = this.#wrapped.lines.findIndex(({ offset }) => offset >= this.#top.offset);
    const line = this.#wrapped.lines[index];
    if (line === undefined) return last;
    return { index, row: Math.min(this.#top.row, this.#wrapped.starts(line).length - 1) };
  }

  #put({ index, row }: Place): void {
    this.#top = { offset: this.#wrapped.lines[index]?.offset ?? 0, row };
  }

  #do(work: () => Promise<void>): boolean {
    this.#host.go(
      this.#work.run(async () => {
        await work();
        this.#host.changed();
      }),
    );
    return true;
  }

  #scroll(by: number): boolean {
    return this.#do(async () => {
      this.#wrapped.lines = this.#lines.all;
      let place = this.#place();
      this.#put(place);
      if (by < 0) this.#unpin();
      for (let left = Math.abs(by); left > 0; ) {
        const last = this.#wrapped.lastPage(this.#height);
        const next =
          by < 0 ? this.#wrapped.above(place) : isBefore(place, last) ? this.#wrapped.below(place) : null;
        if (next !== null) {
          place = next;
          left -= 1;
          this.#put(place);
        } else if (
          by < 0 ? await this.#lines.before() : !this.#lines.isAtEnd && (await this.#lines.after())
        ) {
          this.#wrapped.lines = this.#lines.all;
          place = this.#place();
        } else break;
      }
      if (by > 0 && this.#lines.isAtEnd && !isBefore(place, this.#wrapped.lastPage(this.#height)))
        await this.#toEnd();
    });
  }

  #unpin(): void {
    this.#isPinned = false;
    this.#following?.abort();
    this.#following = null;
  }

  async #toStart(): Promise<void> {
    this.#unpin();
    await this.#lines.to(0);
    this.#top = { offset: 0, row: 0 };
  }

  async #toEnd(): Promise<void> {
    this.#isPinned = true;
    if (this.#following !== null) return;
    if (this.#lines.all.length === 0 || !this.#lines.isAtEnd) await this.#lines.toEnd();
    const following = new AbortController();
    this.#following = following;
    this.#host.go(
      followLines({
        task: this.task,
        stream: this.#stream,
        lines: this.#lines,
        work: this.#work,
        abortSignal: following.signal,
        changed: this.#host.changed,
      }).finally(() => {
        if (this.#following === following) this.#following = null;
        this.#host.changed();
      }),
    );
  }

  /** The other stream of a task that keeps the two apart. */
  #turn(): boolean {
    if (this.snapshot.output.stderrPath === null) {
      this.#host.say('this task has one output for stdout and stderr: it was not run with --separate');
      return true;
    }
    return this.#do(async () => {
      this.#unpin();
      this.#stream = this.#stream === 'stdout' ? 'stderr' : 'stdout';
      this.#lines = new LogLines(this.task, this.#stream);
      await this.#toEnd();
    });
  }

  /** How much of the output is before a byte, in percent. */
  #part(offset: number): number {
    return Math.floor((100 * offset) / Math.max(1, this.#lines.size));
  }

  #again(isOther: boolean): boolean {
    const search = this.#search;
    if (search === null) {
      this.#host.say('you have not searched yet: press /');
      return true;
    }
    this.#searching?.abort();
    const searching = new AbortController();
    this.#searching = searching;
    const isBackwards = search.isBackwards !== isOther;
    this.#host.say('searching; Esc stops it');
    this.#host.go(
      this.#seek(search.wanted, isBackwards, searching.signal).finally(() => {
        if (this.#searching === searching) this.#searching = null;
      }),
    );
    return true;
  }

  async #seek(wanted: Wanted, isBackwards: boolean, abortSignal: AbortSignal): Promise<void> {
    const reached = (offset: number): void => {
      this.#host.say(`searching, at ${this.#part(offset)}%; Esc ends it`);
    };
    const options = { stream: this.#stream, isBackwards, abortSignal, reached };
    const here = this.#found ?? (this.#isPinned && isBackwards ? this.#lines.size : this.#top.offset);
    const from = isBackwards || this.#found === null ? here : here + 1;
    const found = await searchOutput(this.task, wanted, { ...options, from });
    if (abortSignal.aborted) return;
    const around = found?.isAround ? `found from the ${isBackwards ? 'end' : 'beginning'} on` : '';
    this.#host.say(found === null ? 'no match in the output' : around);
    if (found !== null) this.#do(() => this.#show(found.offset));
  }

  async #show(offset: number): Promise<void> {
    this.#unpin();
    this.#found = offset;
    const first = this.#lines.all[0]?.offset ?? Number.POSITIVE_INFINITY;
    if (offset < first || offset >= this.#lines.end) await this.#lines.to(offset);
    this.#wrapped.lines = this.#lines.all;
    const index = this.#wrapped.lines.findLastIndex((line) => line.offset <= offset);
    let place: Place = { index: Math.max(0, index), row: 0 };
    for (let rows = 0; rows < this.#height / 3; rows += 1) place = this.#wrapped.above(place) ?? place;
    this.#put(place);
  }
}
