import { signal } from '@preact/signals';
import type { LinesData, LinesWhere, StreamName } from '../protocol.ts';
import { ask, type Channel, open } from './link.ts';
import { LogWindow } from './log-window.ts';

/** A follower that lags this far behind the end jumps to the end, in bytes: nobody can read a flood of output. */
const mostBehind = 2 * 1024 * 1024;

/** The end of any output. */
const theEnd = Number.MAX_SAFE_INTEGER;

/** Reads the output of a task for the page: the part that is shown, and more when it is needed. */
export class LogReader {
  readonly part = signal(new LogWindow());
  readonly follows = signal(true);
  readonly error = signal('');
  /** Whether the part is now another place in the output, not more of the same. */
  hasJumped = false;
  /**
   * The last known scroll position of the box, in pixels. A scroll event comes a frame later: only one with a smaller
   * position means that the reader scrolls up.
   */
  top = 0;
  readonly #taskId: string;
  readonly #stream: StreamName;
  #channel: Channel | null = null;
  #frame: number | undefined;
  #came: LinesData[] = [];
  #isBusy = false;
  /** Counts up when the page goes elsewhere. Answers to earlier requests are then ignored. */
  #turn = 0;

  constructor(taskId: string, stream: StreamName) {
    this.#taskId = taskId;
    this.#stream = stream;
  }

  /** Shows the end of the output as it grows. */
  follow(): void {
    this.#stop();
    this.follows.value = true;
    const turn = this.#turn;
    void this.#ask('before', theEnd).then((data) => {
      if (data === null || turn !== this.#turn) return;
      this.hasJumped = true;
      this.part.value = LogWindow.of(data);
      this.#followFrom(data.to);
    });
  }

  pause(): void {
    this.#stop();
    this.follows.value = false;
  }

  toggle(): void {
    if (this.follows.value) this.pause();
    else this.follow();
  }

  /** Shows the output around an offset. */
  async goTo(offset: number): Promise<void> {
    this.pause();
    const turn = this.#turn;
    const data = await this.#ask(offset === 0 ? 'behind' : 'around', offset);
    if (data === null || turn !== this.#turn) return;
    this.hasJumped = true;
    this.part.value = LogWindow.of(data);
  }

  /** Adds the lines before the part. */
  async older(): Promise<void> {
    const { from, beginsAt, blocks } = this.part.value;
    if (this.#isBusy || blocks.length === 0 || from <= beginsAt || from === 0) return;
    await this.#more('before', from);
  }

  /** Adds the lines after the part. */
  async newer(): Promise<void> {
    const { to, size, blocks } = this.part.value;
    if (this.#isBusy || blocks.length === 0 || to >= size) return;
    await this.#more('behind', to);
  }

  close(): void {
    this.#stop();
  }

  async #more(where: LinesWhere, offset: number): Promise<void> {
    const turn = this.#turn;
    this.#isBusy = true;
    const data = await this.#ask(where, offset);
    this.#isBusy = false;
    if (data === null || turn !== this.#turn) return;
    if (where === 'behind') this.part.value = this.part.value.append(data);
    else if (data.lines.length > 0) this.part.value = this.part.value.prepend(data);
  }

  #followFrom(offset: number): void {
    this.#channel = open<LinesData>(
      { kind: 'follow', taskId: this.#taskId, stream: this.#stream, offset },
      {
        data: (data) => {
          this.#came.push(data);
          this.#frame ??= requestAnimationFrame(() => this.#take());
        },
        end: (error) => {
          if (error !== null && error.code !== 'DISCONNECTED') this.error.value = error.message;
        },
      },
    );
  }

  #take(): void {
    this.#frame = undefined;
    const came = this.#came;
    this.#came = [];
    const last = came.at(-1);
    if (last === undefined) return;
    if (last.size - last.to > mostBehind) {
      this.follow();
      return;
    }
    this.part.value = came.reduce((part, data) => part.append(data), this.part.value);
  }

  async #ask(where: LinesWhere, offset: number): Promise<LinesData | null> {
    try {
      const data = await ask<LinesData>({
        kind: 'lines',
        taskId: this.#taskId,
        stream: this.#stream,
        where,
        offset,
      });
      this.error.value = '';
      return data;
    } catch (error) {
      this.error.value = (error as Error).message;
      return null;
    }
  }

  #stop(): void {
    this.#turn += 1;
    this.#channel?.close();
    this.#channel = null;
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
    this.#frame = undefined;
    this.#came = [];
    this.#isBusy = false;
  }
}
