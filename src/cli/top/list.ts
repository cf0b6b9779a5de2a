import type { TaskSnapshot } from '../../model/snapshot.ts';
import { isEnded, statusReasons, type TaskStatus } from '../../model/words.ts';
import type { Io } from '../io.ts';
import { previewLines } from '../present/preview.ts';
import { columnsOf, rowOf } from '../present/ps-rows.ts';
import { SteadyTable } from '../present/table.ts';
import { shownStatus } from '../present/values.ts';
import { fitted, padded } from '../present/width.ts';
import type { WatchedTasks } from '../watched-tasks.ts';
import { filterOf, type Meant } from './filter.ts';
import type { Size } from './painter.ts';
import { keyOf, type Row, rowsOf, type SessionRow, tasksOf } from './rows.ts';
import { inverse, shownField, shownLine, type View } from './view.ts';

const all = columnsOf({ allSessions: false, dates: false });

/** It shows the folder of the selected task. */
const left: ReadonlySet<string> = new Set(['FOLDER']);

/** Where there is little room: how it ended says more than how long ago it began. */
const columns = all
  .filter(({ heading }) => !left.has(heading))
  .map((column) => {
    if (column.heading === 'AGE') return { ...column, rank: 0 };
    return column.heading === 'STATUS' ? { ...column, least: 14 } : column;
  });

/** Where each is among all. */
const places = columns.map(({ heading }) => all.findIndex((column) => column.heading === heading));

/** A longer name leaves no room for the command. */
const widestName = 28;

/** A screen with fewer rows shows no details of the selected task. */
const rowsForDetails = 12;

/** What is listed, and what may be done with it. */
export interface ListOptions {
  /** Which of the tasks are meant at all. */
  readonly isMeant: Meant;
  /** Sessions have rows of their own. */
  readonly isTree: boolean;
}

/** The list of tasks, by session: one row is pointed at, and any number are selected. */
export class ListView implements View {
  readonly #io: Io;
  readonly #watched: WatchedTasks;
  readonly #options: ListOptions;
  #table: SteadyTable;
  #width = 0;
  #tasks: readonly TaskSnapshot[] = [];
  #rows: readonly Row[] = [];
  #cursor = 0;
  /** The first row that is shown. */
  #first = 0;
  #page = 1;
  #key: string | null = null;
  readonly #selected = new Set<string>();
  /** Sessions that the person opened or closed, and those in which a task has run: they stay open when it ends. */
  readonly #opened = new Map<string, boolean>();
  #filter: { readonly text: string; readonly isMeant: Meant } = { text: '', isMeant: () => true };

  constructor(io: Io, watched: WatchedTasks, options: ListOptions) {
    this.#io = io;
    this.#watched = watched;
    this.#options = options;
    this.#table = new SteadyTable(columns);
  }

  get hint(): string {
    return '? keys  q quit  Enter log  / filter  Space select  x stop  r restart  a ack  t attach  o pager';
  }

  get filter(): string {
    return this.#filter.text;
  }

  /** Shows only what is meant by these words. @throws OutliveError `USAGE`, and all stays as it was. */
  set filter(text: string) {
    this.#filter = { text, isMeant: filterOf(text) };
    this.refresh();
  }

  /** The task that is pointed at. */
  get current(): TaskSnapshot | null {
    const row = this.#rows[this.#cursor];
    return row?.kind === 'task' ? row.task : null;
  }

  /** What an action is for: what is selected, else what is pointed at. */
  get targets(): readonly TaskSnapshot[] {
    if (this.#selected.size > 0) return this.#tasks.filter(({ taskId }) => this.#selected.has(taskId));
    const row = this.#rows[this.#cursor];
    return row === undefined ? [] : tasksOf(row);
  }

  /** Clears the selection. @returns whether a task was selected. */
  deselect(): boolean {
    const some = this.#selected.size > 0;
    this.#selected.clear();
    return some;
  }

  /** Takes up what was told. What is pointed at stays so, wherever it moves. */
  refresh(): void {
    this.#tasks = this.#watched.tasks().filter(this.#options.isMeant);
    const known = new Set(this.#tasks.map(({ taskId }) => taskId));
    for (const taskId of this.#selected) if (!known.has(taskId)) this.#selected.delete(taskId);
    for (const { sessionId, status } of this.#tasks)
      if (!isEnded(status) && !this.#opened.has(sessionId)) this.#opened.set(sessionId, true);
    const isOpen = (sessionId: string): boolean => this.#opened.get(sessionId) ?? this.#filter.text !== '';
    const meant = this.#tasks.filter(this.#filter.isMeant);
    this.#rows = rowsOf(meant, this.#options.isTree ? isOpen : null);
    const found = this.#rows.findIndex((row) => keyOf(row) === this.#key);
    this.#pointAt(found < 0 ? this.#cursor : found);
  }

  draw({ columns: width, rows }: Size): string[] {
    if (width !== this.#width) this.#table = new SteadyTable(columns);
    this.#width = width;
    const details = rows >= rowsForDetails ? this.#details(width) : [];
    const title = rows > 3 ? [fitted(this.#title(), width)] : [];
    const page = Math.max(1, rows - 2 - title.length - details.length);
    this.#page = page;
    this.#first = Math.max(
      0,
      Math.min(this.#first, this.#cursor, this.#rows.length - page),
      this.#cursor - page + 1,
    );
    const shown = this.#rows.slice(this.#first, this.#first + page);
    const [heading = '', ...lines] = this.#lines(shown, width);
    const body = lines.length > 0 ? lines : [fitted(this.#nothing(), width)];
    const blank = Array.from({ length: Math.max(0, page - body.length) }, () => '');
    return [...title, this.#io.colours.bold(heading), ...body, ...blank, ...details];
  }

  press(key: string): boolean {
    switch (key) {
      case 'up':
      case 'k':
        return this.#move(-1);
      case 'down':
      case 'j':
        return this.#move(1);
      case 'pageup':
      case 'ctrl-b':
        return this.#move(-this.#page);
      case 'pagedown':
      case 'ctrl-f':
        return this.#move(this.#page);
      case 'home':
      case 'g':
        return this.#move(-this.#rows.length);
      case 'end':
      case 'G':
        return this.#move(this.#rows.length);
      case 'left':
      case 'h':
        return this.#open(false);
      case 'right':
      case 'l':
        return this.#open(true);
      case ' ':
        this.#select(this.#rows[this.#cursor]);
        return this.#move(1);
      case '*':
        return this.deselect() || this.#selectAll();
      case 'enter':
        // Another view shows the log of a task.
        return this.current === null && this.#open(null);
      default:
        return false;
    }
  }

  #move(by: number): boolean {
    this.#pointAt(this.#cursor + by);
    return true;
  }

  #pointAt(index: number): void {
    this.#cursor = Math.max(0, Math.min(index, this.#rows.length - 1));
    const row = this.#rows[this.#cursor];
    if (row !== undefined) this.#key = keyOf(row);
  }

  /** @param isOpen `null`: what it is not now. */
  #open(isOpen: boolean | null): boolean {
    const row = this.#rows[this.#cursor];
    if (row === undefined || !this.#options.isTree) return true;
    const sessionId = row.kind === 'session' ? row.sessionId : row.task.sessionId;
    const wasOpen = row.kind === 'task' || this.#rows[this.#cursor + 1]?.kind === 'task';
    this.#opened.set(sessionId, isOpen ?? !wasOpen);
    if (isOpen === false) this.#key = `session ${sessionId}`;
    this.refresh();
    return true;
  }

  #select(row: Row | undefined): void {
    const tasks = row === undefined ? [] : tasksOf(row);
    const areAll = tasks.every(({ taskId }) => this.#selected.has(taskId));
    for (const { taskId } of tasks)
      if (areAll) this.#selected.delete(taskId);
      else this.#selected.add(taskId);
  }

  #selectAll(): boolean {
    for (const task of this.#tasks.filter(this.#filter.isMeant)) this.#selected.add(task.taskId);
    return true;
  }

  #lines(shown: readonly Row[], width: number): string[] {
    const cells = shown.flatMap((row) => (row.kind === 'task' ? [this.#cells(row.task)] : []));
    const [heading = '', ...lines] = this.#table.lines(cells, width);
    return [
      heading,
      ...shown.map((row, index) => {
        const at = this.#first + index;
        const isOpen = this.#rows[at + 1]?.kind === 'task';
        const line = row.kind === 'task' ? (lines.shift() ?? '') : this.#sessionLine(row, isOpen, width);
        return at === this.#cursor ? inverse(padded(line, width)) : line;
      }),
    ];
  }

  #cells(told: TaskSnapshot): string[] {
    // It has got older since the rows were made.
    const task = this.#watched.find(told.taskId) ?? told;
    const name = task.name === null ? null : fitted(shownField(task.name), widestName);
    const short = { ...task, name, command: shownField(task.command) };
    const processes = this.#watched.processesOf(task.taskId);
    const cells = rowOf(this.#io, short, { allSessions: false, dates: false })(processes);
    const selected = this.#selected.has(task.taskId) ? '*' : ' ';
    const pending = isEnded(task.status) && !task.delivered ? '•' : ' ';
    return places.map((place, index) => {
      const cell = cells[place] ?? '';
      return index === 0 ? `${pending}${selected}${cell}` : cell;
    });
  }

  #sessionLine({ sessionId, tasks }: SessionRow, isOpen: boolean, width: number): string {
    const areAll = tasks.every(({ taskId }) => this.#selected.has(taskId));
    const name = this.#io.colours.bold(shownField(sessionId));
    return fitted(`${isOpen ? '▾' : '▸'}${areAll ? '*' : ' '}${name}  ${this.#counts(tasks)}`, width);
  }

  #title(): string {
    const chosen = this.#selected.size > 0 ? `  ${this.#selected.size} selected` : '';
    const filter = this.#filter.text === '' ? '' : `  filter: ${shownField(this.#filter.text)}`;
    return `outlive top  ${this.#counts(this.#tasks) || 'no tasks'}${chosen}${filter}`;
  }

  #counts(tasks: readonly TaskSnapshot[]): string {
    const counts = new Map<TaskStatus, number>();
    for (const { status } of tasks) counts.set(status, (counts.get(status) ?? 0) + 1);
    return (Object.keys(statusReasons) as TaskStatus[])
      .flatMap((status) => {
        const count = counts.get(status);
        return count === undefined ? [] : [`${count} ${shownStatus(status, this.#io.colours)}`];
      })
      .join(', ');
  }

  #nothing(): string {
    if (!this.#watched.isRead) return 'reading the store';
    if (this.#filter.text !== '') return 'no task matches this filter; Esc clears it';
    return 'there is no task yet; new tasks appear here by themselves';
  }

  /** What has no room in the row that is pointed at. */
  #details(width: number): string[] {
    const task = this.current;
    const rule = this.#io.colours.dim('─'.repeat(width));
    if (task === null) return [rule, '', ''];
    const folder = fitted(`${shownField(task.cwd)} $ ${shownField(task.command)}`, width);
    const last = previewLines(task.output.preview).at(-1) ?? '';
    return [rule, folder, this.#io.colours.dim(fitted(shownLine(last), width))];
  }
}
