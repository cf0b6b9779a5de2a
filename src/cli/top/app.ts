import type { Store } from '../../api/store.ts';
import { isForeseen } from '../../errors/expected.ts';
import type { TaskSnapshot } from '../../model/snapshot.ts';
import { isEnded } from '../../model/words.ts';
import { monotonicMs } from '../../util/wait.ts';
import type { Io } from '../io.ts';
import type { WatchedTasks } from '../watched-tasks.ts';
import { type Action, acknowledge, calledTogether, messageOf, performAll, restart, stop } from './actions.ts';
import { attachFrom, pageFrom } from './away.ts';
import type { Meant } from './filter.ts';
import { type Events, FullScreen } from './full-screen.ts';
import { helpLines } from './help.ts';
import { LastRow } from './last-row.ts';
import { ListView } from './list.ts';
import { LogView } from './log.ts';
import { wantedOf } from './search.ts';
import { titleOf } from './view.ts';

/** It draws changes within this many milliseconds together, and answers keys at once. */
const gatherMs = 100;

/** Ages grow, so it draws the list at least this often, in milliseconds. */
const redrawMs = 1_000;

/** What the program is about, and what may be done. */
export interface TopOptions {
  readonly isMeant: Meant;
  readonly isTree: boolean;
  readonly readOnly: boolean;
}

/** The store as it is looked at, and opened to change something, the first time that somebody does. */
export interface Stores {
  readonly toRead: Store;
  toWrite(): Promise<Store>;
}

const changes: Readonly<Record<string, Action>> = { x: stop, r: restart, a: acknowledge };

/** The program on the screen: which view is shown, and what each key does. */
export class App implements Events, Disposable {
  readonly #io: Io;
  readonly #stores: Stores;
  readonly #options: TopOptions;
  readonly #watched: WatchedTasks;
  readonly #list: ListView;
  readonly #last = new LastRow();
  readonly #screen: FullScreen;
  readonly #over: () => void;
  readonly #failed: (error: unknown) => void;
  /** Resolves when somebody has left, and rejects when it cannot go on. */
  readonly done: Promise<void>;
  #log: LogView | null = null;
  #isHelp = false;
  #isTold = false;
  #drawnAt = 0;
  #drawing: NodeJS.Timeout | undefined;
  readonly #clock: NodeJS.Timeout;

  constructor(io: Io, stores: Stores, watched: WatchedTasks, options: TopOptions) {
    this.#io = io;
    this.#stores = stores;
    this.#options = options;
    this.#watched = watched;
    this.#list = new ListView(io, watched, options);
    const { promise, resolve, reject } = withResolvers();
    this.done = promise;
    this.#over = resolve;
    this.#failed = reject;
    this.#screen = new FullScreen(this);
    this.#screen.ended.addEventListener('abort', resolve);
    this.#clock = setInterval(() => this.#tick(), gatherMs);
    this.redraw();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#clock);
    clearTimeout(this.#drawing);
    this.#log?.close();
    this.#screen[Symbol.dispose]();
  }

  /** Says something below the view. */
  say(text: string): void {
    this.#last.say(text);
    this.changed();
  }

  /** A redraw is due soon. */
  changed(): void {
    this.#drawing ??= setTimeout(() => this.redraw(), gatherMs);
  }

  redraw(): void {
    clearTimeout(this.#drawing);
    this.#drawing = undefined;
    this.#drawnAt = monotonicMs();
    this.#guard(() => this.#draw());
  }

  pressed(key: string): void {
    this.#guard(() => this.#press(key));
    this.redraw();
  }

  pasted(text: string): void {
    this.#last.pasted(text);
    this.redraw();
  }

  /** What was told is taken up; without news only ages grow, of the rows that are shown. */
  #tick(): void {
    const hasNews = this.#watched.takeNews();
    const isOld = monotonicMs() - this.#drawnAt >= redrawMs;
    if (!hasNews && !isOld) return;
    if (hasNews) this.#guard(() => this.#list.refresh());
    this.#refreshLog();
    this.redraw();
  }

  #refreshLog(): void {
    const log = this.#log;
    if (log === null) return;
    const found = this.#watched.find(log.task.id);
    if (found === undefined) this.#last.say('the record of this task was removed');
    else log.snapshot = found;
  }

  #draw(): void {
    const { size } = this.#screen;
    const view = this.#log ?? this.#list;
    const hint = this.#isHelp ? 'any key goes back' : view.hint;
    const { text, cursor } = this.#last.draw(hint, size.columns);
    const lines = this.#isHelp ? helpLines(size) : view.draw(size);
    const body = Array.from({ length: size.rows - 1 }, (_, row) => lines[row] ?? '');
    this.#screen.paint([...body, text], cursor);
  }

  #press(key: string): void {
    if (key === 'ctrl-z') this.#screen.suspend();
    else if (key === 'ctrl-l') this.#screen.repaint();
    else if (this.#last.isAsking) this.#last.press(key);
    else this.#pressFreely(key);
  }

  #pressFreely(key: string): void {
    this.#last.say('');
    const wasHelp = this.#isHelp;
    this.#isHelp = false;
    if (key === 'ctrl-c') this.#over();
    else if (!wasHelp && !(this.#log ?? this.#list).press(key)) this.#act(key);
  }

  #act(key: string): void {
    const log = this.#log;
    const action = Object.hasOwn(changes, key) ? changes[key] : undefined;
    if (action !== undefined) this.#change(action);
    else if (key === '?') this.#isHelp = true;
    else if (key === 'q' && log === null) this.#over();
    else if (key === 'q') this.#closeLog();
    else if (key === 'escape' || key === 'left') this.#back();
    else if (key === '/' && log === null) this.#readFilter();
    else if (key === '/' && log !== null) this.#readPattern(log);
    else if (key === 'enter' || key === 'o' || key === 't') this.#show(key);
    else this.say('there is nothing at this key; ? shows the keys');
  }

  #show(key: 'enter' | 'o' | 't'): void {
    const task = this.#log?.snapshot ?? this.#list.current;
    if (task === null) this.say('this works on one task: select its row');
    else if (key === 'enter') this.#openLog(task);
    else if (key === 't') this.#attach(task);
    else this.#go(this.#page(task));
  }

  #back(): void {
    if (this.#log === null) {
      if (!this.#list.deselect()) this.#list.filter = '';
    } else if (!this.#log.cancel()) this.#closeLog();
  }

  #openLog({ taskId }: TaskSnapshot): void {
    const snapshot = this.#watched.find(taskId);
    if (snapshot === undefined) return;
    const host = {
      io: this.#io,
      changed: () => this.changed(),
      say: (text: string) => this.say(text),
      go: (work: Promise<unknown>) => this.#go(work),
    };
    this.#log = new LogView(host, this.#stores.toRead.task(taskId), snapshot);
  }

  #closeLog(): void {
    this.#log?.close();
    this.#log = null;
  }

  #readFilter(): void {
    this.#last.read('filter: ', this.#list.filter, (text) => {
      this.#guard(() => {
        this.#list.filter = text.trim();
      });
    });
  }

  #readPattern(log: LogView): void {
    this.#last.read('/', '', (text) => {
      if (text === '') return;
      const search = async (): Promise<void> => log.search(await wantedOf(text));
      this.#go(search());
    });
  }

  #change(action: Action): void {
    const chosen = this.#log === null ? this.#list.targets : [this.#log.snapshot];
    const tasks = chosen.filter((task) => action.isFor(task));
    if (this.#options.readOnly) this.say('top was started with --read-only: it changes nothing');
    else if (tasks.length === 0) this.say(chosen.length === 0 ? 'there is no task' : action.nothing);
    else this.#ask(action, tasks);
  }

  #ask(action: Action, tasks: readonly TaskSnapshot[]): void {
    const question = `${action.verb} ${calledTogether(tasks)}? ${action.remark ?? aboutRunning(action, tasks)}`;
    const perform = async (): Promise<void> =>
      await performAll(await this.#stores.toWrite(), action, tasks, (text) => this.say(text));
    this.#last.ask(question.trim(), () => {
      this.#list.deselect();
      this.#go(perform());
    });
  }

  #attach(task: TaskSnapshot): void {
    const attach = async (): Promise<void> => {
      this.#isTold = true;
      this.say(await attachFrom(this.#screen, await this.#stores.toWrite(), task));
    };
    if (this.#options.readOnly) this.say('top was started with --read-only: it takes over no terminal');
    else if (task.tty === null || isEnded(task.status))
      this.say('it has no terminal to take over: it was not run with --tty, or it has ended');
    else if (this.#isTold) this.#go(attach());
    else
      this.#last.ask(`Take over the terminal of ${titleOf(task)}? Ctrl-\\ and then d comes back here.`, () =>
        this.#go(attach()),
      );
  }

  async #page({ taskId }: TaskSnapshot): Promise<void> {
    const task = this.#stores.toRead.task(taskId);
    this.say(await pageFrom(this.#screen, this.#io, task, this.#log?.stream ?? 'stdout'));
  }

  /** Lets work go on whose failure is shown. A mistake in the program ends it. */
  #go(work: Promise<unknown>): void {
    work.catch((error: unknown) => this.#tell(error));
  }

  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#tell(error);
    }
  }

  #tell(error: unknown): void {
    if (isForeseen(error)) this.say(messageOf(error));
    else this.#failed(error);
  }
}

/** A person who restarts a running task should know that the restart stops it. */
function aboutRunning(action: Action, tasks: readonly TaskSnapshot[]): string {
  const running = tasks.filter(({ status }) => !isEnded(status)).length;
  if (action !== restart || running === 0) return '';
  return tasks.length === 1
    ? 'It is running, and will be stopped first.'
    : `${running} are running, and will be stopped first.`;
}

function withResolvers(): {
  promise: Promise<void>;
  resolve: () => void;
  reject: (error: unknown) => void;
} {
  let resolve: () => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const promise = new Promise<void>((resolved, rejected) => {
    resolve = resolved;
    reject = rejected;
  });
  return { promise, resolve, reject };
}
