import { emitKeypressEvents, type Key as ReadKey } from 'node:readline';
import { atExit } from '../at-exit.ts';
import { Painter, type Size } from './painter.ts';

/** The other screen of the terminal, and the one that was there before. */
const otherScreen = { begin: '\x1b[?1049h', end: '\x1b[?1049l' } as const;

/** Without a cursor; what is too wide is cut; what is pasted is told from what is typed. Then as it was. */
const modes = { begin: '\x1b[?25l\x1b[?7l\x1b[?2004h', end: '\x1b[?2004l\x1b[0m\x1b[?7h\x1b[?25h' } as const;

/** Signals by which a program of a terminal is ended. */
const endings = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

/** Keys of the terminal, which reach all programs on it: they are for the program that it was lent to. */
const typed: ReadonlySet<string> = new Set(['SIGINT', 'SIGQUIT']);

/** An escape that nothing follows for this long, in milliseconds, is the key. */
const escapeMs = 50;

/** If the process is not suspended after this many milliseconds, no shell could continue it, so it goes on. */
const stopMs = 100;

/** More of a paste is left out. */
const mostPasted = 4_096;

/** What happens at a terminal. */
export interface Events {
  /** A key, by its name (`up`, `enter`, `ctrl-c`), or the character that it types. */
  pressed(key: string): void;
  pasted(text: string): void;
  /** It must draw everything: the size changed, or another program had the terminal. */
  redraw(): void;
}

/**
 * The whole of the terminal of this process, until disposed of. It is as it was after any end of the process but SIGKILL,
 * while the process is stopped, and while it is lent to another program.
 */
export class FullScreen implements Disposable {
  readonly #stdin = process.stdin;
  readonly #stdout = process.stdout;
  readonly #painter: Painter;
  readonly #events: Events;
  readonly #ended = new AbortController();
  readonly #stayAtExit: () => void;
  #isIn = false;
  /** The other screen is shown, and any program may draw on it. */
  #isOther = false;
  /** Until the process is continued. */
  #stopped: NodeJS.Timeout | null = null;
  /** What was pasted so far; null: nothing is being pasted. */
  #paste: string | null = null;

  readonly #key = (text: string | undefined, key: ReadKey): void => this.#take(text, key);
  readonly #end = (): void => this.#ended.abort();
  readonly #signal = (name: NodeJS.Signals): void => {
    if (this.#isIn || !typed.has(name)) this.#ended.abort();
  };
  readonly #resized = (): void => {
    this.#painter.forget();
    if (this.#isIn) this.#events.redraw();
  };
  readonly #stopSelf = (): void => this.#stop(process.pid);
  readonly #continued = (): void => this.#goOn();

  constructor(events: Events) {
    this.#events = events;
    this.#painter = new Painter((text) => void this.#stdout.write(text));
    this.#stayAtExit = atExit(() => this.#goBack());
    for (const name of endings) process.on(name, this.#signal);
    process.on('SIGCONT', this.#continued);
    // The terminal is gone: nobody can type or see anything.
    for (const event of ['end', 'error', 'close']) this.#stdin.on(event, this.#end);
    for (const event of ['error', 'close']) this.#stdout.on(event, this.#end);
    this.#stdout.on('resize', this.#resized);
    emitKeypressEvents(this.#stdin, { escapeCodeTimeout: escapeMs } as never);
    this.#enter();
  }

  /** Aborted when somebody ends this process, or the terminal is gone. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /** What there is to draw on. A terminal that says no size has the usual one. */
  get size(): Size {
    return { columns: this.#stdout.columns || 80, rows: this.#stdout.rows || 24 };
  }

  /**
   * Shows these lines, one a row.
   * @param cursor the column at which somebody types on the last row; `null`: no cursor is shown.
   */
  paint(lines: readonly string[], cursor: number | null): void {
    if (this.#isIn) this.#painter.paint(lines, this.size, cursor);
  }

  /** Draws all anew, whatever stands there. */
  repaint(): void {
    this.#resized();
  }

  /**
   * Lends the terminal to somebody else, who leaves it as it is when the work is done.
   * @param where `here`: on the screen that this draws on, so that the one before is not drawn over.
   */
  async lend<T>(where: 'here' | 'before', work: () => Promise<T>): Promise<T> {
    this.#leave(where);
    try {
      return await work();
    } finally {
      if (!this.ended.aborted) {
        this.#enter();
        this.#events.redraw();
      }
    }
  }

  /** Stops all programs of this job, as Ctrl-Z does. Somebody continues them, by `fg`. */
  suspend(): void {
    this.#stop(0);
  }

  [Symbol.dispose](): void {
    this.#goBack();
    this.#stayAtExit();
    for (const name of endings) process.off(name, this.#signal);
    process.off('SIGCONT', this.#continued);
    clearTimeout(this.#stopped ?? undefined);
    for (const event of ['end', 'error', 'close']) this.#stdin.off(event, this.#end);
    for (const event of ['error', 'close']) this.#stdout.off(event, this.#end);
    this.#stdout.off('resize', this.#resized);
  }

  #enter(): void {
    if (this.#isIn || this.#stdin.destroyed) return;
    // Before anything is written: in the background that stops this process, as it stops any.
    this.#stdin.setRawMode(true);
    this.#isIn = true;
    process.on('SIGTSTP', this.#stopSelf);
    this.#stdin.on('keypress', this.#key);
    this.#stdin.resume();
    this.#stdout.write(otherScreen.begin + modes.begin);
    this.#isOther = true;
    this.#painter.forget();
  }

  /** For good: gives the terminal back. */
  #goBack(): void {
    this.#leave('before');
    if (this.#isOther) this.#stdout.write(otherScreen.end);
    this.#isOther = false;
  }

  #leave(where: 'here' | 'before' = 'before'): void {
    if (!this.#isIn) return;
    this.#isIn = false;
    // Without a listener the signal stops the process. What the terminal is lent to looks after itself.
    process.off('SIGTSTP', this.#stopSelf);
    this.#isOther = where === 'here';
    this.#paste = null;
    this.#stdin.off('keypress', this.#key);
    this.#stdin.pause();
    this.#stdout.write(modes.end + (where === 'here' ? '' : otherScreen.end));
    // The terminal may be gone.
    if (!this.#stdin.destroyed) this.#stdin.setRawMode(false);
  }

  /** @param pid 0: all of the process group, as a key of the terminal does. */
  #stop(pid: number): void {
    if (!this.#isIn) return;
    this.#leave();
    this.#stopped = setTimeout(() => this.#goOn(), stopMs);
    process.kill(pid, 'SIGTSTP');
  }

  #goOn(): void {
    // Somebody may have stopped it without a word. What it was lent to looks after itself.
    if (this.#stopped === null && !this.#isIn) return;
    clearTimeout(this.#stopped ?? undefined);
    this.#stopped = null;
    this.#leave();
    this.#enter();
    this.#events.redraw();
  }

  #take(text: string | undefined, key: ReadKey): void {
    if (key.name === 'paste-start') this.#paste = '';
    else if (key.name === 'paste-end') {
      const paste = this.#paste;
      this.#paste = null;
      if (paste !== null) this.#events.pasted(paste);
    } else if (this.#paste !== null && !(key.ctrl && key.name === 'c'))
      this.#paste = `${this.#paste}${text ?? ''}`.slice(0, mostPasted);
    else {
      // A paste without an end is over as well.
      this.#paste = null;
      const name = nameOf(text, key);
      if (name !== null) this.#events.pressed(name);
    }
  }
}

/** The name of one key; null if the key has no name and types nothing. */
function nameOf(text: string | undefined, { name, ctrl, meta }: ReadKey): string | null {
  if (meta && name !== 'escape') return null;
  if (name === 'return') return 'enter';
  if (ctrl) return name === undefined ? null : `ctrl-${name}`;
  if (name === 'space') return ' ';
  const types = text !== undefined && /^[^\p{Cc}\p{Cf}\p{Cs}]+$/u.test(text);
  return types ? text : (name ?? null);
}
