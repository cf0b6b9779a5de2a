import { checkOptions, type OptionNames } from '../../errors/check-options.ts';
import type { TerminalSize } from '../../model/words.ts';
import { inputFrame, mostInputBytes, sizeFrame } from '../../shim/frames.ts';
import { clip } from '../../terminal/clip.ts';
import { TerminalFilter } from '../../terminal/terminal-filter.ts';
import type { SessionContext } from '../session/context.ts';
import { checkAbortSignal, checkFlag } from '../session/validate.ts';
import { DetachKeys } from './detach-keys.ts';
import { LiveTerminal } from './live-terminal.ts';

/** A person's terminal: keys come from `input`, which must be in raw mode, and the screen goes to `output`. */
export interface Viewer {
  /** `null`: nothing can be typed. */
  readonly input: NodeJS.ReadableStream | null;
  /** Its size is taken from `columns` and `rows`, if it has them, as `process.stdout` does, and again at its event `resize`. */
  readonly output: NodeJS.WritableStream & {
    readonly columns?: number;
    readonly rows?: number;
    readonly writableLength?: number;
  };
}

/** How to attach. */
export interface AttachOptions {
  /** Nothing is typed, and the size is left as it is. @default false */
  readonly readOnly?: boolean;
  /** The keys that leave, pressed one after the other; none: no keys leave. @default ctrl-\, d */
  readonly detachKeys?: readonly string[];
  /** Leaves. */
  readonly abortSignal?: AbortSignal;
}

const attachOptionNames: OptionNames<AttachOptions> = { readOnly: true, detachKeys: true, abortSignal: true };

/**
 * Why an attach is over: the viewer has left, the command has ended (or its shim is gone), or the command goes on and the shim
 * has given the viewer's place to another one.
 */
export type AttachEnd = 'left' | 'ended' | 'displaced';

/** Between two paintings of a terminal whose size is another than the viewer's. */
const paintPauseMs = 50;

/** What was typed and the task has not taken, in bytes. Until it has, nothing more is read from the viewer. */
const mostUntakenBytes = 16 * 1024 ** 2;

/** What may wait for a viewer that reads slowly. Of what comes then, it is shown what is left on the screen. */
const mostUnreadBytes = 1024 ** 2;

/**
 * Shows the terminal of a task to a person, who may type into it, until they leave or the command ends.
 * @throws OutliveError `NO_TERMINAL`, `INPUT_CLOSED`, `TASK_NOT_FOUND`, `TASK_ELSEWHERE`, `INVALID_ARGUMENT`.
 */
export async function attach(
  context: SessionContext,
  taskId: string,
  viewer: Viewer,
  options: AttachOptions,
): Promise<AttachEnd> {
  const { readOnly, abortSignal, leaves } = checkAttach(options);
  const attachment = new Attachment(viewer, { readOnly, leaves });
  const terminal = await LiveTerminal.open(context, taskId, attachment, { types: !readOnly });
  try {
    return await attachment.show(terminal, abortSignal);
  } finally {
    terminal[Symbol.dispose]();
  }
}

/** What is asked for, checked. @throws OutliveError `INVALID_ARGUMENT`. */
export function checkAttach(options: AttachOptions): {
  readonly readOnly: boolean;
  readonly leaves: DetachKeys;
  readonly abortSignal: AbortSignal | undefined;
} {
  const {
    readOnly = false,
    detachKeys,
    abortSignal,
  } = checkOptions('task.attach()', options, attachOptionNames);
  return {
    readOnly: checkFlag('readOnly', readOnly),
    leaves: DetachKeys.named(detachKeys),
    abortSignal: checkAbortSignal(abortSignal),
  };
}

class Attachment {
  readonly #viewer: Viewer;
  readonly #readOnly: boolean;
  readonly #leaves: DetachKeys;
  #filter = new TerminalFilter();
  #terminal: LiveTerminal | null = null;
  #done: (end: AttachEnd) => void = () => undefined;
  /** The viewer's size is that of the terminal: what comes can be shown as it is. */
  #fits = true;
  #painting: NodeJS.Timeout | undefined;
  #isPainted = false;
  /** The viewer reads too slowly: it is shown nothing until it has read what waits. */
  #isFull = false;
  /** Bytes that were typed and wait for the task, and whether nothing more is read from the viewer because of them. */
  #untaken = 0;
  #isBehind = false;

  constructor(
    viewer: Viewer,
    { readOnly, leaves }: { readonly readOnly: boolean; readonly leaves: DetachKeys },
  ) {
    this.#viewer = viewer;
    this.#readOnly = readOnly;
    this.#leaves = leaves;
  }

  async show(terminal: LiveTerminal, abortSignal: AbortSignal | undefined): Promise<AttachEnd> {
    this.#terminal = terminal;
    const { input, output } = this.#viewer;
    const end = new Promise<AttachEnd>((resolve) => {
      this.#done = resolve;
    });
    const typed = (bytes: Buffer | string): void => this.#typed(Buffer.from(bytes));
    const left = (): void => this.#done('left');
    const resized = (): void => this.#viewerResized();
    const drained = (): void => this.#drained();
    abortSignal?.addEventListener('abort', left);
    input?.on('data', typed);
    // The terminal is gone: nobody can type or see anything.
    input?.on('end', left);
    output.on('resize', resized);
    output.on('drain', drained);
    output.on('error', left);
    output.on('close', left);
    try {
      if (abortSignal?.aborted) left();
      if (terminal.isOver) this.#done(terminal.isDisplaced ? 'displaced' : 'ended');
      await this.#begin(terminal);
      const ended = await end;
      // What it wrote last is shown, too.
      if (ended === 'ended' && this.#painting !== undefined) this.#paint();
      return ended;
    } finally {
      abortSignal?.removeEventListener('abort', left);
      for (const [event, listener] of [
        ['data', typed],
        ['end', left],
      ] as const)
        input?.off(event, listener as never);
      input?.pause();
      for (const [event, listener] of [
        ['resize', resized],
        ['drain', drained],
        ['error', left],
        ['close', left],
      ] as const)
        output.off(event, listener);
      clearTimeout(this.#painting);
      // This person has left, and their terminal may be closed: it is shown nothing more.
      this.#terminal = null;
      this.#leave();
    }
  }

  /** What the terminal writes. */
  output(bytes: Buffer): void {
    if (this.#terminal === null) return;
    if (this.#fits) this.#write(bytes);
    else this.#paintSoon();
  }

  resized(): void {
    this.#fit();
  }

  ended(): void {
    this.#done('ended');
  }

  displaced(): void {
    this.#done('displaced');
  }

  async #begin(terminal: LiveTerminal): Promise<void> {
    // A viewer that joins others does not change the size until it types.
    if (!this.#readOnly && terminal.standing.watching <= 1) await this.#setSize();
    this.#fit();
  }

  /** The viewer's size, if it has one. */
  #size(): TerminalSize | null {
    const { columns, rows } = this.#viewer.output;
    return columns === undefined || rows === undefined || columns < 1 || rows < 1
      ? null
      : { cols: Math.min(Math.max(columns, 2), 1000), rows: Math.min(rows, 1000) };
  }

  async #setSize(): Promise<void> {
    const size = this.#size();
    if (size !== null) await this.#terminal?.connection.send(sizeFrame(size));
  }

  /** Draws anew, as it is or as much of it as there is room for. */
  #fit(): void {
    const terminal = this.#terminal;
    if (terminal === null || this.#isFull) return;
    const size = this.#size();
    const { cols, rows } = terminal.screen.screen();
    this.#fits = size === null || (size.cols === cols && size.rows === rows);
    if (!this.#fits) {
      this.#paintSoon();
      return;
    }
    this.#isPainted = false;
    this.#write(Buffer.concat([Buffer.from('\x1b[0m\x1b[2J\x1b[H'), terminal.screen.redraw()]));
  }

  #paintSoon(): void {
    this.#painting ??= setTimeout(() => this.#paint(), paintPauseMs);
  }

  #paint(): void {
    clearTimeout(this.#painting);
    this.#painting = undefined;
    const size = this.#size();
    const terminal = this.#terminal;
    if (terminal === null || size === null || this.#fits || this.#isFull) return;
    const first = this.#isPainted ? '' : `${this.#filter.modesReset()}\x1b[0m\x1b[2J`;
    this.#isPainted = true;
    this.#put(`${first}${clip(terminal.screen.screen({ cells: true }), size)}`);
  }

  #viewerResized(): void {
    if (this.#readOnly) this.#fit();
    // The terminal says its new size, and then it is drawn.
    else void this.#setSize();
  }

  #typed(bytes: Buffer): void {
    const { typed, leaves } = this.#leaves.take(bytes);
    if (!this.#readOnly && typed.length > 0) this.#type(typed);
    if (leaves) this.#done('left');
  }

  /** The last who typed sets the size. */
  #type(bytes: Buffer): void {
    if (!this.#fits) void this.#setSize();
    for (let at = 0; at < bytes.length; at += mostInputBytes)
      void this.#hand(bytes.subarray(at, at + mostInputBytes));
    if (this.#untaken <= mostUntakenBytes) return;
    this.#isBehind = true;
    this.#viewer.input?.pause();
  }

  /** The shim answers when the task has taken it. */
  async #hand(bytes: Buffer): Promise<void> {
    this.#untaken += bytes.length;
    await this.#terminal?.connection.send(inputFrame(bytes));
    this.#untaken -= bytes.length;
    if (!this.#isBehind || this.#terminal === null || this.#untaken > mostUntakenBytes / 2) return;
    this.#isBehind = false;
    this.#viewer.input?.resume();
  }

  #write(bytes: Buffer): void {
    if (this.#isFull) return;
    const passed = this.#filter.pass(bytes);
    if (passed.length > 0) this.#put(passed);
  }

  #put(shown: Buffer | string): void {
    const { output } = this.#viewer;
    const isReady = output.write(shown);
    this.#isFull = !isReady && (output.writableLength ?? 0) > mostUnreadBytes;
  }

  #drained(): void {
    if (!this.#isFull) return;
    this.#isFull = false;
    this.#put(this.#filter.modesReset());
    // It may be within a sequence whose rest was not shown.
    this.#filter = new TerminalFilter();
    this.#fit();
  }

  /** The person's terminal is as it was, with the cursor below what was shown. */
  #leave(): void {
    const { rows } = this.#viewer.output;
    this.#viewer.output.write(
      `${this.#filter.modesReset()}\x1b[0m\x1b[?25h${rows === undefined ? '' : `\x1b[${rows};1H`}\r\n`,
    );
  }
}
