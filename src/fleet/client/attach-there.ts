import type { NatsConnection, Subscription } from '@nats-io/transport-node';
import {
  type AttachEnd,
  type AttachOptions,
  checkAttach,
  type Viewer,
} from '../../engine/interact/attach.ts';
import type { DetachKeys } from '../../engine/interact/detach-keys.ts';
import { OutliveError } from '../../errors/error.ts';
import { expected, isExpected, tolerate } from '../../errors/expected.ts';
import type { TerminalSize } from '../../model/words.ts';
import { TerminalFilter } from '../../terminal/terminal-filter.ts';
import { randomHex } from '../../util/crypto.ts';
import { monotonicMs, sleep } from '../../util/wait.ts';
import { jsonOf } from '../wire/fields.ts';
import { subjects } from '../wire/names.ts';
import { readPiece, type ViewMessage, type ViewPiece, type ViewState } from '../wire/terminal.ts';

/** The task that a person attaches to. */
export interface Viewed {
  readonly host: string;
  wait(options: { until: 'accepted' }): Promise<object | null>;
  /** Finds out which host has it now. */
  show(): Promise<object>;
  /** @throws OutliveError `FLEET_UNREACHABLE`, `HOST_UNREACHABLE`, and what the host refuses with. */
  view(message: ViewMessage): Promise<ViewState>;
}

/**
 * A host that hears nothing for half a minute ends the view. So the client sends a message this often, in milliseconds.
 */
const renewMs = 5_000;
/** How long it repeats a message that nobody answers, in milliseconds. A change of the leader takes 4 to 9 s. */
const patienceMs = 10_000;
const pauseMs = 250;
/** How much later than an answer the pieces may come, in milliseconds: they take another way. */
const lateMs = 1_000;
/** How long it tries to tell the host that the person has left, in milliseconds. */
const leaveMs = 1_000;
/** The most typed bytes in one message. */
const mostKeys = 32 * 1_024;
/** The most typed bytes that wait. With more, the person's terminal is not read for a while. */
const mostWaitingKeys = 256 * 1_024;
/** The most bytes that wait for a slow terminal. With more, pieces are dropped and the screen is drawn again later. */
const mostUnreadBytes = 1_024 ** 2;

const silence = expected('FLEET_UNREACHABLE', 'HOST_UNREACHABLE');
const noInput = expected('INPUT_CLOSED', 'TASK_NOT_FOUND');
const gone = new Set([...silence, ...noInput, 'CLOSED']);

/**
 * Shows the terminal of a task on another host in a person's terminal, until they leave or the command ends. The host
 * draws it for the size of the person's terminal. If a piece is lost, the host draws everything again.
 * @throws OutliveError like `task.attach()`; `HOST_UNREACHABLE`, `FLEET_UNREACHABLE` when the host is silent for 10 s.
 */
export async function attachThere(
  connection: NatsConnection,
  task: Viewed,
  viewer: Viewer,
  options: AttachOptions,
): Promise<AttachEnd> {
  const { readOnly, leaves, abortSignal } = checkAttach(options);
  abortSignal?.throwIfAborted();
  const view = new RemoteView(connection, task, viewer, { readOnly, leaves });
  return await view.show(abortSignal);
}

class RemoteView {
  readonly #connection: NatsConnection;
  readonly #task: Viewed;
  readonly #viewer: Viewer;
  readonly #readOnly: boolean;
  readonly #leaves: DetachKeys;
  readonly #view = randomHex(8);
  #filter = new TerminalFilter();
  #subscription: Subscription | undefined;
  /** The numbers of the last message, of the message that opened the view, and of the last piece that was shown. */
  #number = 0;
  #opened = 0;
  #shown = 0;
  #keys: Buffer[] = [];
  #waitingKeys = 0;
  #sizeSaid: TerminalSize | null = null;
  /** Everything must be drawn: the view is not open yet, or a piece was lost. */
  #isLost = true;
  #hasEnded = false;
  #hasLeft = false;
  #wake: () => void = () => undefined;

  constructor(
    connection: NatsConnection,
    task: Viewed,
    viewer: Viewer,
    { readOnly, leaves }: { readonly readOnly: boolean; readonly leaves: DetachKeys },
  ) {
    [this.#connection, this.#task, this.#viewer] = [connection, task, viewer];
    [this.#readOnly, this.#leaves] = [readOnly, leaves];
  }

  async show(abortSignal: AbortSignal | undefined): Promise<AttachEnd> {
    const { input, output } = this.#viewer;
    let leave: () => void = () => undefined;
    const left = new Promise<AttachEnd>((resolve) => {
      leave = () => {
        this.#hasLeft = true;
        this.#wake();
        resolve('left');
      };
    });
    const typed = (bytes: Buffer | string): void => {
      if (this.#typed(Buffer.from(bytes))) leave();
    };
    const resized = (): void => this.#wake();
    const drained = (): void => this.#wake();
    abortSignal?.addEventListener('abort', leave);
    input?.on('data', typed).on('end', leave);
    output.on('resize', resized).on('drain', drained).on('error', leave).on('close', leave);
    if (abortSignal?.aborted) leave();
    const talk = this.#talk();
    try {
      const end = await Promise.race([left, talk]);
      // The host hears of this if it answers at once.
      if (end === 'left') await Promise.race([talk.catch(leftInVain), sleep(leaveMs)]);
      return end;
    } finally {
      abortSignal?.removeEventListener('abort', leave);
      input?.off('data', typed).off('end', leave).pause();
      output.off('resize', resized).off('drain', drained).off('error', leave).off('close', leave);
      this.#hasLeft = true;
      this.#wake();
      this.#subscription?.unsubscribe();
      this.#leave();
    }
  }

  /** Sends what the person does, and checks that all pieces came, until the person leaves or the command ends. */
  async #talk(): Promise<AttachEnd> {
    // The person can leave during this wait, too.
    await this.#task.wait({ until: 'accepted' });
    while (!this.#hasLeft) {
      const state = await this.#say();
      if (state.state === 'unknown') this.#isLost = true;
      else if (this.#shown < state.pieces) await this.#late(state.pieces);
      if (state.state === 'ended' || state.state === 'displaced') return state.state;
      await this.#until(() => this.#hasSomething(), renewMs);
      if (this.#hasEnded) return 'ended';
    }
    await this.#task.view(this.#message(true));
    return 'left';
  }

  /** Sends one message until it is answered. @throws OutliveError like {@link Viewed.view}. */
  async #say(): Promise<ViewState> {
    const message = this.#message(false);
    // Another attempt may be on another host.
    if (message.opens && this.#opened > 0) await this.#task.show();
    const wasOpen = this.#opened > 0;
    if (message.opens) this.#reopen(message.number);
    const endAt = monotonicMs() + patienceMs;
    for (let isFirst = true; ; isFirst = false) {
      try {
        const state = await this.#task.view(message);
        // A host that does not know the view has not typed the keys, unless an earlier try has reached it.
        if (isFirst && state.state === 'unknown') this.#keys.unshift(message.keys);
        return state;
      } catch (error) {
        // The last piece has come, or the command has ended while the view was lost.
        if (this.#hasEnded || (wasOpen && isExpected(error, noInput))) return { state: 'ended', pieces: 0 };
        if (!isExpected(error, silence) || monotonicMs() > endAt || this.#hasLeft) throw error;
        await sleep(pauseMs);
      }
    }
  }

  #message(leaves: boolean): ViewMessage {
    this.#number += 1;
    const typed = Buffer.concat(this.#keys);
    const keys = typed.subarray(0, mostKeys);
    this.#keys = typed.length > mostKeys ? [typed.subarray(mostKeys)] : [];
    this.#waitingKeys = typed.length - keys.length;
    if (this.#waitingKeys === 0 && !this.#hasLeft) this.#viewer.input?.resume();
    this.#sizeSaid = this.#size();
    const said = { number: this.#number, opens: this.#isLost && !leaves, size: this.#sizeSaid, keys, leaves };
    return { view: this.#view, readOnly: this.#readOnly, ...said };
  }

  /** Gets ready for the host that has the task now, which draws everything again. */
  #reopen(number: number): void {
    [this.#isLost, this.#opened, this.#shown] = [false, number, 0];
    this.#subscription?.unsubscribe();
    this.#subscription = this.#connection.subscribe(subjects.view(this.#task.host, this.#view), {
      callback: (error, message) => {
        const piece = error === null ? pieceOf(message.data) : null;
        if (piece !== null) this.#take(piece);
      },
    });
    this.#put(this.#filter.modesReset());
    // The old filter may wait for the rest of an escape sequence. That does not come.
    this.#filter = new TerminalFilter();
  }

  #take({ opened, number, bytes, last }: ViewPiece): void {
    if (opened !== this.#opened || number <= this.#shown || this.#hasLeft || this.#isLost) return;
    const isFull = (this.#viewer.output.writableLength ?? 0) > mostUnreadBytes;
    this.#isLost = number !== this.#shown + 1 || isFull;
    if (!this.#isLost) {
      this.#shown = number;
      this.#put(this.#filter.pass(bytes));
      this.#hasEnded = last;
    }
    this.#wake();
  }

  async #late(pieces: number): Promise<void> {
    await this.#until(() => this.#shown >= pieces || this.#isLost, lateMs);
    if (this.#shown < pieces) this.#isLost = true;
  }

  /** Whether there is something to send or to ask. */
  #hasSomething(): boolean {
    const { writableLength = 0 } = this.#viewer.output;
    // A slow terminal must first read half of what waits. Then everything is drawn again.
    const opensAgain = this.#isLost && writableLength < mostUnreadBytes / 2;
    return this.#hasEnded || opensAgain || this.#keys.length > 0 || !isSame(this.#size(), this.#sizeSaid);
  }

  async #until(isSo: () => boolean, ms: number): Promise<void> {
    const endAt = monotonicMs() + ms;
    for (let left = ms; left > 0 && !this.#hasLeft && !isSo(); left = endAt - monotonicMs())
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
  }

  /** @returns whether the person leaves. */
  #typed(bytes: Buffer): boolean {
    const { typed, leaves } = this.#leaves.take(bytes);
    if (!this.#readOnly && typed.length > 0) {
      this.#keys.push(typed);
      this.#waitingKeys += typed.length;
      if (this.#waitingKeys > mostWaitingKeys) this.#viewer.input?.pause();
      this.#wake();
    }
    return leaves;
  }

  #size(): TerminalSize | null {
    const { columns = 0, rows = 0 } = this.#viewer.output;
    return columns < 1 || rows < 1
      ? null
      : { cols: Math.min(Math.max(columns, 2), 1_000), rows: Math.min(rows, 1_000) };
  }

  #put(shown: Buffer | string): void {
    if (shown.length > 0) this.#viewer.output.write(shown);
  }

  /** Restores the person's terminal, with the cursor below what was shown. After the last piece it is there already. */
  #leave(): void {
    const { rows } = this.#viewer.output;
    const below = this.#hasEnded || rows === undefined ? '' : `\x1b[${rows};1H`;
    this.#put(`${this.#filter.modesReset()}\x1b[0m\x1b[?25h${below}${this.#hasEnded ? '' : '\r\n'}`);
  }
}

/** Without this message the host ends the view by itself after a while. */
function leftInVain(error: unknown): void {
  tolerate(error, gone, 'leaving a terminal');
}

function isSame(one: TerminalSize | null, other: TerminalSize | null): boolean {
  return one?.cols === other?.cols && one?.rows === other?.rows;
}

function pieceOf(data: Uint8Array): ViewPiece | null {
  try {
    return readPiece(jsonOf(data, 'a piece of a view'));
  } catch (error) {
    // It has another version, or is not a piece. It counts as lost.
    if (error instanceof OutliveError) return null;
    throw error;
  }
}
