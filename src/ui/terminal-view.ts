import { PassThrough, Writable } from 'node:stream';
import type { StoreTask } from '../api/store-task.ts';
import { OutliveError } from '../errors/error.ts';
import type { TerminalSize } from '../model/words.ts';

/** How much typed text may wait for the terminal, in bytes. More is dropped. */
const mostTypedBytes = 1024 * 1024;

/** A page as the terminal of a task: see `task.attach()`, which also says what a page that reads slowly is shown. */
export class TerminalView {
  readonly #task: StoreTask;
  readonly #readOnly: boolean;
  readonly #input = new PassThrough({ highWaterMark: mostTypedBytes });
  readonly #output: PageTerminal;

  constructor(
    task: StoreTask,
    {
      size,
      readOnly,
      send,
    }: { size: TerminalSize; readOnly: boolean; send: (bytes: Uint8Array) => Promise<void> },
  ) {
    this.#task = task;
    this.#readOnly = readOnly;
    this.#output = new PageTerminal(size, send);
  }

  /**
   * Shows the terminal until the page leaves, or the command ends.
   * @throws OutliveError `INPUT_CLOSED` when another viewer takes the page's place; and as `task.attach()`.
   */
  async show(abortSignal: AbortSignal): Promise<void> {
    const readOnly = this.#readOnly;
    const viewer = { input: readOnly ? null : this.#input, output: this.#output };
    const end = await this.#task.attach(viewer, { readOnly, detachKeys: [], abortSignal });
    if (end !== 'displaced') return;
    throw new OutliveError(
      'INPUT_CLOSED',
      `expected the terminal of ${this.#task.id} to have a place for this page; found that others have taken all eight. Open it again to take one back.`,
      { details: { taskId: this.#task.id } },
    );
  }

  type(text: string): void {
    if (this.#readOnly || this.#input.writableLength > mostTypedBytes) return;
    this.#input.write(text);
  }

  resize(size: TerminalSize): void {
    this.#output.resize(size);
  }
}

class PageTerminal extends Writable {
  columns: number;
  rows: number;

  constructor({ cols, rows }: TerminalSize, send: (bytes: Uint8Array) => Promise<void>) {
    super({
      write: (chunk: Buffer, _encoding, done) => {
        send(chunk).then(() => done(), done);
      },
    });
    this.columns = cols;
    this.rows = rows;
  }

  resize({ cols, rows }: TerminalSize): void {
    this.columns = cols;
    this.rows = rows;
    this.emit('resize');
  }
}
