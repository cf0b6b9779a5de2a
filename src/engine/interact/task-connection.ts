import { closeSync, constants, openSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { basename, dirname } from 'node:path';
import { OutliveError, systemCode, taskNotFound } from '../../errors/error.ts';
import type { TerminalSize } from '../../model/words.ts';
import { type Answer, FrameReader, framesVersion, type Incoming, type Standing } from '../../shim/frames.ts';
import { taskPaths } from '../../tasklog/paths.ts';
import { holdProcess, monotonicMs, sleep } from '../../util/wait.ts';
import type { SessionContext } from '../session/context.ts';
import { observe } from '../session/observe.ts';
import { nudge } from '../session/shim-control.ts';

/** A shim answers at once. One that was stopped, or whose machine is busy, has this time, in milliseconds. */
const answersWithinMs = 5_000;

/** Between two tries to reach a shim that is starting, or that makes its socket anew. */
const againMs = 20;

/** The longest path of a socket, in bytes. */
const mostPathBytes = 107;

/** What a connection tells while it is open. */
export interface ConnectionEvents {
  output?(offset: number | null, bytes: Buffer): void;
  resized?(offset: number, size: TerminalSize): void;
  /** The command has ended; its output has so many bytes. */
  ended?(offset: number): void;
  /** Nothing more comes: after the end, or since the shim is gone. */
  closed?(): void;
}

/**
 * Connects with the shim of a task.
 * @throws OutliveError `TASK_NOT_FOUND`, `INPUT_CLOSED`, `TASK_ELSEWHERE`.
 */
export async function connectTask(
  context: SessionContext,
  taskId: string,
  events: ConnectionEvents = {},
): Promise<TaskConnection> {
  const until = monotonicMs() + answersWithinMs;
  for (let tries = 0; ; tries += 1) {
    const path = socketOf(context, taskId, monotonicMs() >= until);
    const found = path === null ? null : await connectTo(path);
    if (found !== null) {
      const connection = new TaskConnection(found, events);
      await connection.ready(until);
      return connection;
    }
    // Somebody may have removed the name of the socket: at a SIGCONT the shim makes it again.
    const facts = observe(context, taskId)?.facts;
    if (facts !== undefined && path !== null && tries % 10 === 1) nudge(context, facts);
    await sleep(againMs);
  }
}

/** Null: not yet. */
function socketOf(context: SessionContext, taskId: string, isLast: boolean): string | null {
  const observed = observe(context, taskId);
  if (observed === null) throw taskNotFound(context.sessionId, taskId);
  const { facts, decision, away, alive } = observed;
  const { spec, started } = facts;
  if (away !== null || (decision.state === 'live' && decision.elsewhere))
    throw new OutliveError(
      'TASK_ELSEWHERE',
      `expected task ${taskId} to run here; found that it runs on another machine or in another container. Send to it there.`,
      { details: { taskId, host: spec?.by.host } },
    );
  if (spec?.stdin !== 'open' && spec?.stdin !== 'inherit-open')
    throw inputClosed(
      taskId,
      `found that it takes no input. Spawn it with stdin: 'open' (--stdin) or a tty (--tty)`,
    );
  if (decision.state !== 'live' || facts.exit !== undefined || alive === 'no')
    throw inputClosed(taskId, 'found that it has ended');
  if (started === undefined && facts.waiting !== undefined)
    throw inputClosed(taskId, 'found that it waits for its turn. Send when it runs');
  if (isLast)
    throw inputClosed(
      taskId,
      'found that its shim does not answer. A signal may have stopped the shim: continue it, or stop the task',
    );
  if (started?.socket === undefined) {
    if (started === undefined) return null;
    throw inputClosed(
      taskId,
      'found that its shim could not create a socket in the store or in /tmp. Put the store on a file system that has sockets',
    );
  }
  return started.socket === '' ? taskPaths(context.paths, taskId).socket : started.socket;
}

/** The task takes no input. */
export function inputClosed(taskId: string, found: string): OutliveError {
  return new OutliveError('INPUT_CLOSED', `expected task ${taskId} to take input; ${found}.`, {
    details: { taskId },
  });
}

/** The errors of the system if no shim listens, or if a stopped shim has a full queue. */
const nobodyThere: ReadonlySet<string> = new Set(['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EAGAIN']);

/** Null if nothing listens there. */
async function connectTo(path: string): Promise<Socket | null> {
  // On Linux a long path is reached through a descriptor of its folder. macOS has no such way: its shim has used /tmp.
  const isLong = Buffer.byteLength(path) > mostPathBytes && process.platform === 'linux';
  const folder = isLong ? openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY) : null;
  try {
    return await new Promise((resolve, reject) => {
      const socket = connect(folder === null ? path : `/proc/self/fd/${folder}/${basename(path)}`);
      socket.once('connect', () => {
        socket.removeAllListeners('error');
        resolve(socket);
      });
      socket.once('error', (error) => {
        if (nobodyThere.has(systemCode(error) ?? '')) resolve(null);
        else reject(error);
      });
    });
  } finally {
    if (folder !== null) closeSync(folder);
  }
}

/** A caller that waits for an answer keeps the process alive, even if the connection does not. */
async function held<T>(answer: Promise<T>): Promise<T> {
  const letGo = holdProcess();
  return await answer.finally(letGo);
}

/** A connection with the shim of one task. */
export class TaskConnection {
  readonly #socket: Socket;
  readonly #events: ConnectionEvents;
  readonly #reader = new FrameReader();
  readonly #answers: ((answer: Answer | null) => void)[] = [];
  #standings: ((standing: Standing | null) => void)[] = [];
  #standing: Standing | null = null;
  #isClosed = false;

  /** For {@link connectTask}. */
  constructor(socket: Socket, events: ConnectionEvents) {
    this.#socket = socket;
    this.#events = events;
    socket.on('data', (bytes) => this.#take(bytes));
    // An error is followed by the close.
    socket.on('error', () => undefined);
    socket.on('close', () => this.#closed());
  }

  /** Waits for the first word of the shim. */
  async ready(until: number): Promise<void> {
    if (this.#standing !== null) return;
    const timer = setTimeout(() => this.close(), Math.max(1, until - monotonicMs()));
    const standing = await this.#nextStanding();
    clearTimeout(timer);
    if (standing === null)
      throw new OutliveError(
        'INPUT_CLOSED',
        'expected the shim of the task to answer; found that it is gone, stopped by a signal, or another user’s.',
        { details: {} },
      );
    if (standing.version !== framesVersion) {
      this.close();
      throw new OutliveError(
        'INPUT_CLOSED',
        `expected a shim that speaks version ${framesVersion} at its socket; found ${standing.version}. Use the version of outlive that started the task.`,
        { details: {} },
      );
    }
  }

  /** How it stood when the shim last said so. */
  get standing(): Standing {
    if (this.#standing === null) throw new OutliveError('INTERNAL', 'expected a connection that is ready');
    return this.#standing;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Asks how it stands, by `?` or by what has the same answer; null: the shim is gone. */
  async ask(frame: Buffer): Promise<Standing | null> {
    if (this.#isClosed) return null;
    this.#socket.write(frame);
    return await held(this.#nextStanding());
  }

  /** Sends what is answered by a word, or null: the shim is gone. */
  async send(frame: Buffer): Promise<Answer | null> {
    if (this.#isClosed) return null;
    this.#socket.write(frame);
    return await held(new Promise((resolve) => this.#answers.push(resolve)));
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Does not keep the process alive. */
  unref(): void {
    this.#socket.unref();
  }

  #nextStanding(): Promise<Standing | null> {
    return new Promise((resolve) => this.#standings.push(resolve));
  }

  #take(bytes: Buffer): void {
    try {
      for (const frame of this.#reader.read(bytes)) this.#hear(frame);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      // What speaks there is no shim.
      this.close();
    }
  }

  #hear(frame: Incoming): void {
    switch (frame.type) {
      case 'standing': {
        this.#standing = frame.standing;
        const waiting = this.#standings;
        this.#standings = [];
        for (const resolve of waiting) resolve(frame.standing);
        return;
      }
      case 'answer':
        this.#answers.shift()?.(frame.answer);
        return;
      case 'output':
        this.#events.output?.(frame.offset, frame.bytes);
        return;
      case 'resized':
        this.#events.resized?.(frame.offset, frame.size);
        return;
      case 'end':
        this.#events.ended?.(frame.offset);
        return;
      default:
        frame satisfies never;
    }
  }

  #closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const resolve of this.#standings.splice(0)) resolve(null);
    for (const resolve of this.#answers.splice(0)) resolve(null);
    this.#events.closed?.();
  }
}
