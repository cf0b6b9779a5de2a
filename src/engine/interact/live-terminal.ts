import { closed } from '../../errors/error.ts';
import { expected, isExpected } from '../../errors/expected.ts';
import type { TerminalSize } from '../../model/words.ts';
import { answerFrame, askFrame, attachFrame, type Standing } from '../../shim/frames.ts';
import type { CheckpointWriter } from '../../terminal/checkpoint-file.ts';
import type { LiveScreen } from '../../terminal/live-screen.ts';
import { background } from '../session/background.ts';
import type { SessionContext } from '../session/context.ts';
import { openTaskScreen, screenKeeper } from '../session/kept-screen.ts';
import { observe } from '../session/observe.ts';
import { readBetween, terminalOutput } from '../session/terminal-output.ts';
import { connectTask, type TaskConnection } from './task-connection.ts';

/** Output that waits to be shown. More is not kept: it is in the file. */
const mostQueuedBytes = 4 * 1024 ** 2;

const nothing = Buffer.alloc(0);

const removed = expected('TASK_NOT_FOUND');

/** What comes from a terminal, in its order. `isLive`: written just now, as opposed to read again from the file. */
export interface TerminalListener {
  output?(bytes: Buffer, isLive: boolean): void;
  resized?(size: TerminalSize): void;
  /** The command has ended, or its shim is gone, and all that it wrote was told. */
  ended?(): void;
  /** The command goes on, and the shim has given this one's place to another client. Nothing more comes. */
  displaced?(): void;
}

type Event =
  | { readonly type: 'output'; readonly offset: number | null; readonly bytes: Buffer }
  | { readonly type: 'resized'; readonly offset: number; readonly size: TerminalSize }
  /** `null`: the shim has closed the connection and has not said where the output ends. */
  | { readonly type: 'end'; readonly offset: number | null };

/**
 * The terminal of a task that runs, as a person would see it: fed by the shim while the task writes. What its program asks the
 * terminal (where is the cursor?) is answered from here; of several who follow it the shim takes the first answer.
 */
export class LiveTerminal implements Disposable {
  readonly #context: SessionContext;
  readonly #taskId: string;
  readonly #connection: TaskConnection;
  readonly #listener: TerminalListener;
  readonly #queue: Event[];
  readonly #live: LiveScreen;
  readonly #answers: Buffer[];
  readonly #keeper: CheckpointWriter | null;
  #queuedBytes = 0;
  /** The end of what came when the queue was full. */
  #unqueuedTo = 0;
  #work: Promise<void> | null = null;
  #isOver = false;
  #isDisplaced = false;

  private constructor(parts: {
    readonly context: SessionContext;
    readonly taskId: string;
    readonly connection: TaskConnection;
    readonly listener: TerminalListener;
    readonly queue: Event[];
    readonly live: LiveScreen;
    readonly answers: Buffer[];
    readonly keeper: CheckpointWriter | null;
  }) {
    this.#context = parts.context;
    this.#taskId = parts.taskId;
    this.#connection = parts.connection;
    this.#listener = parts.listener;
    this.#queue = parts.queue;
    this.#live = parts.live;
    this.#answers = parts.answers;
    this.#keeper = parts.keeper;
  }

  /**
   * Follows a terminal from now on.
   * @param when the screen is made at the first output, or then: until then it costs a connection alone.
   * @param types whether a person may type by it: then others see that somebody is attached.
   * @throws OutliveError `NO_TERMINAL`, `INPUT_CLOSED`, `TASK_NOT_FOUND`, `TASK_ELSEWHERE`.
   */
  static async open(
    context: SessionContext,
    taskId: string,
    listener: TerminalListener = {},
    {
      types = false,
      when = Promise.resolve(),
    }: { readonly types?: boolean; readonly when?: Promise<void> } = {},
  ): Promise<LiveTerminal> {
    terminalOutput(context, taskId);
    const queue: Event[] = [];
    let terminal: LiveTerminal | null = null;
    let wake: () => void = () => undefined;
    const something = new Promise<void>((resolve) => {
      wake = resolve;
    });
    const add = (event: Event): void => {
      wake();
      if (terminal === null) queue.push(event);
      else terminal.#add(event);
    };
    const connection = await connectTask(context, taskId, {
      output: (offset, bytes) => add({ type: 'output', offset, bytes: Buffer.from(bytes) }),
      resized: (offset, size) => add({ type: 'resized', offset, size }),
      ended: (offset) => add({ type: 'end', offset }),
      closed: () => add({ type: 'end', offset: null }),
    });
    // Only a person's own view keeps a process.
    if (!types) connection.unref();
    try {
      const standing = await connection.ask(attachFrame({ readOnly: !types }));
      await Promise.race([something, when]);
      if (context.closed) throw closed('session');
      // What comes from here on comes by the connection, and all before it is in the file.
      const { output, observed } = terminalOutput(context, taskId);
      const end = standing === null ? output.end : Math.min(output.end, standing.offset);
      const answers: Buffer[] = [];
      const answer = (text: string): number => answers.push(Buffer.from(text));
      const untilNow = { output: { ...output, end }, observed };
      const { live, moment } = await openTaskScreen(context, taskId, untilNow, answer);
      if (context.closed) {
        live[Symbol.dispose]();
        throw closed('session');
      }
      // A viewer that only watches changes nothing.
      const keeper = context.isWatched ? await screenKeeper(context, taskId, untilNow, moment) : null;
      terminal = new LiveTerminal({
        context,
        taskId,
        connection,
        listener,
        queue: [],
        live,
        answers,
        keeper,
      });
      for (const event of queue) terminal.#add(event);
      return terminal;
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  get connection(): TaskConnection {
    return this.#connection;
  }

  get screen(): LiveScreen {
    return this.#live;
  }

  get standing(): Standing {
    return this.#connection.standing;
  }

  /** Nothing more comes: the command has ended, its shim is gone, or this one was displaced. */
  get isOver(): boolean {
    return this.#isOver;
  }

  get isDisplaced(): boolean {
    return this.#isDisplaced;
  }

  /** Resolves when all is shown that the shim had sent by now. */
  async settled(): Promise<void> {
    const standing = this.#isOver ? null : await this.#connection.ask(askFrame());
    // The shim sends nothing to one whose line is full.
    if (standing !== null) this.#add({ type: 'output', offset: standing.offset, bytes: nothing });
    await this.#work;
  }

  [Symbol.dispose](): void {
    if (!this.#isOver) this.#keeper?.left(this.#live);
    this.#isOver = true;
    this.#connection.close();
    this.#queue.length = 0;
    if (this.#work === null) this.#live[Symbol.dispose]();
  }

  #add(event: Event): void {
    if (this.#isOver) return;
    if (event.type === 'output') {
      this.#queuedBytes += event.bytes.length;
      // It is read from the file: before the next one, or when all is shown that was queued.
      if (this.#queuedBytes > mostQueuedBytes) {
        this.#queuedBytes -= event.bytes.length;
        if (event.offset !== null) this.#unqueuedTo = event.offset + event.bytes.length;
        return;
      }
    }
    this.#queue.push(event);
    if (this.#work !== null) return;
    this.#work = this.#run();
    background(this.#context, 'following a terminal', this.#work, this.#taskId);
  }

  /**
   * A failure does not block later events: it reads the output that was not shown from the file before the next event.
   */
  async #run(): Promise<void> {
    const failures: unknown[] = [];
    try {
      do {
        for (let event = this.#queue.shift(); event !== undefined; event = this.#queue.shift())
          await this.#take(event).catch((error: unknown) => failures.push(error));
        if (!this.#isOver) await this.#catchUp(this.#unqueuedTo);
      } while (this.#queue.length > 0);
    } finally {
      this.#work = null;
      if (this.#isOver && this.#connection.isClosed) this.#live[Symbol.dispose]();
    }
    if (failures.length > 0) throw failures[0];
  }

  async #take(event: Event): Promise<void> {
    if (this.#isOver) return;
    switch (event.type) {
      case 'output':
        this.#queuedBytes -= event.bytes.length;
        if (event.offset === null) return this.#showUnkept(event.bytes);
        await this.#catchUp(event.offset);
        return this.#show(event.bytes.subarray(Math.max(0, this.#live.offset - event.offset)), true);
      case 'resized':
        await this.#catchUp(event.offset);
        this.#live.resize({ ...event.size, offset: event.offset });
        return this.#listener.resized?.(event.size);
      case 'end':
        try {
          await this.#catchUp(event.offset ?? Number.POSITIVE_INFINITY);
        } catch (error) {
          // Somebody has removed the task and its output: there is nothing more to show.
          if (!isExpected(error, removed)) throw error;
        } finally {
          this.#end(event.offset === null);
        }
        return;
      default:
        event satisfies never;
    }
  }

  /** @param isClosed the shim has not told of an end: it is gone, or it has given this one's place to another client. */
  #end(isClosed: boolean): void {
    try {
      this.#isDisplaced = isClosed && observe(this.#context, this.#taskId)?.decision.state === 'live';
    } finally {
      this.#isOver = true;
      this.#keeper?.left(this.#live);
      this.#context.terminals.delete(this.#taskId);
      this.#connection.close();
      if (this.#isDisplaced) this.#listener.displaced?.();
      else this.#listener.ended?.();
    }
  }

  /** Reads from the file what did not come. */
  async #catchUp(to: number): Promise<void> {
    if (to <= this.#live.offset) return;
    for await (const bytes of readBetween(this.#context, this.#taskId, this.#live.offset, to))
      this.#show(bytes, false);
    if (Number.isFinite(to)) this.#live.skipTo(Math.max(to, this.#live.offset));
  }

  #show(bytes: Buffer, isLive: boolean): void {
    if (bytes.length === 0 || this.#isOver) return;
    this.#answers.length = 0;
    this.#live.feed(bytes, isLive);
    this.#keeper?.grown(this.#live);
    this.#listener.output?.(bytes, isLive);
    if (this.#answers.length === 0) return;
    const frame = answerFrame(this.#live.offset, Buffer.concat(this.#answers));
    background(this.#context, 'answering for a terminal', this.#connection.send(frame), this.#taskId);
  }

  /** No file has it, so it does not count. */
  #showUnkept(bytes: Buffer): void {
    const { offset } = this.#live;
    this.#live.feed(bytes);
    this.#live.skipTo(offset);
    this.#listener.output?.(bytes, false);
  }
}
