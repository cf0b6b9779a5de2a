import { PassThrough, Writable } from 'node:stream';
import type { StoreTask } from '../../api/store-task.ts';
import type { AttachEnd } from '../../engine/interact/attach.ts';
import { OutliveError } from '../../errors/error.ts';
import type { TerminalSize } from '../../model/words.ts';
import { subjects, wireVersion } from '../wire/names.ts';
import { mostPieceBytes, type ViewMessage, type ViewState, writePiece } from '../wire/terminal.ts';
import type { Parts } from './parts.ts';
import { Publisher } from './publisher.ts';

/** A view ends after its viewer has been silent for this long, in milliseconds. */
const silentMs = 30_000;

/** The most typed bytes that wait until the command reads. More is lost, as at a terminal. */
const mostTypedBytes = 1024 ** 2;

/** The most views at a time. */
const mostViews = 64;

/**
 * People on other machines who are attached to terminals of this host. Each view does what `outlive attach` does here.
 */
export class Views {
  readonly #parts: Parts;
  readonly #all = new Map<string, View>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Does what a message of a view asks for, once.
   * @throws OutliveError `FLEET_BUSY`, and what `attach` refuses with.
   */
  async take(local: StoreTask, message: ViewMessage): Promise<ViewState> {
    let view = this.#all.get(message.view);
    if (view !== undefined && message.opens && message.number > view.opened) {
      view.leave();
      view = undefined;
    }
    if (view === undefined && !message.opens) return { state: 'unknown', pieces: 0 };
    view ??= this.#open(local, message);
    await view.begun;
    view.take(message);
    return view.state();
  }

  close(): void {
    for (const view of this.#all.values()) view.leave();
  }

  #open(local: StoreTask, message: ViewMessage): View {
    if (this.#all.size >= mostViews)
      throw new OutliveError(
        'FLEET_BUSY',
        `expected at most ${mostViews} viewers of the terminals of a host; found more. Try again when one has left, or read the output.`,
      );
    const view = new View(this.#parts, message);
    this.#all.set(message.view, view);
    const work = view.show(local).finally(() => {
      if (this.#all.get(message.view) === view) this.#all.delete(message.view);
    });
    this.#parts.inBackground('showing a terminal', work);
    return view;
  }
}

class View {
  /** The number of the message that opened it. */
  readonly opened: number;
  readonly #readOnly: boolean;
  readonly #input = new PassThrough();
  readonly #output: PublishedTerminal;
  readonly #left = new AbortController();
  /** Resolves when the terminal shows something. Rejects with the error of `attach`. */
  readonly begun: Promise<void>;
  #begin: () => void = () => undefined;
  #refuse: (error: unknown) => void = () => undefined;
  #lastNumber = 0;
  /** How the attach ended; `null`: it has not ended. */
  #end: AttachEnd | null = null;
  #silence: NodeJS.Timeout | undefined;

  constructor(parts: Parts, { view, number, readOnly, size }: ViewMessage) {
    this.opened = number;
    this.#readOnly = readOnly;
    this.begun = new Promise((resolve, reject) => {
      [this.#begin, this.#refuse] = [resolve, reject];
    });
    // The caller that opened the view gets the error, if it still waits.
    this.begun.catch(() => undefined);
    const publisher = new Publisher(parts, subjects.view(parts.host, view));
    this.#output = new PublishedTerminal(publisher, number, size, () => this.#begin());
    // If the bytes cannot reach the person, the view ends, but the agent does not.
    this.#output.on('error', () => this.leave());
  }

  /**
   * Shows the terminal until the person has left. If it ends otherwise, the view still reports its state for a while.
   */
  async show(local: StoreTask): Promise<void> {
    this.#heard();
    try {
      const viewer = { input: this.#input, output: this.#output };
      const options = { readOnly: this.#readOnly, detachKeys: [], abortSignal: this.#left.signal };
      this.#end = await local.attach(viewer, options);
      if (this.#end === 'ended') await this.#output.publishLast();
      this.#begin();
    } catch (error) {
      this.#refuse(error);
      return this.leave();
    }
    await this.#untilLeft();
  }

  /** Handles a repeated message only once. */
  take({ number, size, keys, leaves }: ViewMessage): void {
    if (number <= this.#lastNumber) return;
    this.#lastNumber = number;
    this.#heard();
    this.#output.resize(size);
    if (keys.length > 0 && this.#input.writableLength <= mostTypedBytes) this.#input.write(keys);
    if (leaves) this.leave();
  }

  state(): ViewState {
    const state = this.#end === null || this.#end === 'left' ? 'open' : this.#end;
    return { state, pieces: this.#output.pieces };
  }

  leave(): void {
    clearTimeout(this.#silence);
    this.#left.abort();
  }

  #heard(): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.leave(), silentMs);
  }

  async #untilLeft(): Promise<void> {
    const { signal } = this.#left;
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
  }
}

/** Stands for the terminal of a person on another machine. It publishes in pieces what is written to it. */
class PublishedTerminal extends Writable {
  columns?: number;
  rows?: number;
  /** How many pieces were published since the view was opened. */
  pieces = 0;
  readonly #publisher: Publisher;
  readonly #opened: number;
  readonly #onFirst: () => void;

  constructor(publisher: Publisher, opened: number, size: TerminalSize | null, onFirst: () => void) {
    super();
    [this.#publisher, this.#opened, this.#onFirst] = [publisher, opened, onFirst];
    if (size !== null) [this.columns, this.rows] = [size.cols, size.rows];
  }

  resize(size: TerminalSize | null): void {
    if (size === null || (size.cols === this.columns && size.rows === this.rows)) return;
    [this.columns, this.rows] = [size.cols, size.rows];
    this.emit('resize');
  }

  /** Publishes the rest, and then the last piece. */
  async publishLast(): Promise<void> {
    await new Promise<void>((resolve) => this.end(resolve));
    await this.#piece(Buffer.alloc(0), true);
  }

  override _write(bytes: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#onFirst();
    this.#publish(bytes).then(() => done(), done);
  }

  async #publish(bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length; at += mostPieceBytes)
      await this.#piece(bytes.subarray(at, at + mostPieceBytes), false);
  }

  async #piece(bytes: Buffer, last: boolean): Promise<void> {
    await this.#publisher.pace(bytes.length);
    this.pieces += 1;
    const piece = { opened: this.#opened, number: this.pieces, bytes, last };
    await this.#publisher.publish({ v: wireVersion, ...writePiece(piece) });
  }
}
