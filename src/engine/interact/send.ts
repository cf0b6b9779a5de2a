import { checkOptions, type OptionNames } from '../../errors/check-options.ts';
import { OutliveError } from '../../errors/error.ts';
import { keyBytes, keyNames } from '../../model/keys.ts';
import { bounds } from '../../model/limits.ts';
import type { TerminalSize } from '../../model/words.ts';
import {
  type Answer,
  endFrame,
  inputFrame,
  mostInputBytes,
  type Standing,
  sizeFrame,
} from '../../shim/frames.ts';
import { sleep } from '../../util/wait.ts';
import type { SessionContext } from '../session/context.ts';
import { checkFlag, checkNumber, invalid } from '../session/validate.ts';
import { lookAtScreen } from './screen.ts';
import { connectTask, inputClosed, type TaskConnection } from './task-connection.ts';

/** What else is sent, in this order: text, keys, the end. */
export interface SendOptions {
  /** Keys that are pressed after the text, by name: `enter`, `up`, `ctrl-c`, `f5` and others. Only in a terminal. */
  readonly press?: readonly string[];
  /** Then the input ends: of a terminal, by the character for that (Ctrl-D). @default false */
  readonly eof?: boolean;
  /**
   * The text is pasted: put between the marks by which programs that have asked for them (bracketed paste) tell what is pasted
   * from what is typed. Only in a terminal. @default false
   */
  readonly paste?: boolean;
  /** How long the command may take to read what is there already, in milliseconds. @default 5000 */
  readonly timeoutMs?: number;
}

const sendOptionNames: OptionNames<SendOptions> = { press: true, eof: true, paste: true, timeoutMs: true };

/** A line of more bytes is dropped by the kernel, in part, when the program reads lines. */
const mostLineBytes = 4_095;

/** Of a paste that is read together with the Enter after it, some programs take that as part of the paste. */
const pastePauseMs = 20;

/** What is asked for, checked. */
export interface SendRequest {
  readonly text: string | Uint8Array;
  readonly press: readonly string[];
  readonly eof: boolean;
  readonly paste: boolean;
  readonly timeoutMs: number;
}

/** @throws OutliveError `INVALID_ARGUMENT`. */
export function checkSend(text: unknown, options: SendOptions): SendRequest {
  const {
    press = [],
    eof = false,
    paste = false,
    timeoutMs = 5_000,
  } = checkOptions('task.send()', options, sendOptionNames);
  if (typeof text !== 'string' && !(text instanceof Uint8Array)) invalid('the input', 'text or bytes', text);
  if ((text as string | Uint8Array).length > bounds.stdinBytes)
    invalid('the input', `at most ${bounds.stdinBytes} bytes`, (text as string | Uint8Array).length);
  if (!Array.isArray(press)) invalid('press', 'a list of keys', press);
  for (const key of press)
    if (typeof key !== 'string' || keyBytes(key) === null)
      invalid('press', `keys of: ${keyNames.join(', ')}`, key);
  return {
    text: text as string | Uint8Array,
    press,
    eof: checkFlag('eof', eof),
    paste: checkFlag('paste', paste),
    timeoutMs: checkNumber('timeoutMs', timeoutMs, 1, bounds.durationMs),
  };
}

/**
 * Types into a task.
 * @throws OutliveError `INPUT_CLOSED`, `INPUT_FULL`, `NO_TERMINAL`, `INVALID_ARGUMENT`, `TASK_NOT_FOUND`, `TASK_ELSEWHERE`.
 */
export async function sendInput(
  context: SessionContext,
  taskId: string,
  request: SendRequest,
): Promise<void> {
  const connection = await connectTask(context, taskId);
  try {
    const asksForKeys = (): Promise<boolean> =>
      lookAtScreen(context, taskId, (shown) => shown.hasApplicationKeys);
    await new Typist(connection, taskId, request.timeoutMs, asksForKeys).type(request);
  } finally {
    connection.close();
  }
}

/**
 * Sets the size of a terminal.
 * @throws OutliveError `INPUT_CLOSED`, `NO_TERMINAL`, `TASK_NOT_FOUND`, `TASK_ELSEWHERE`.
 */
export async function resizeTerminal(
  context: SessionContext,
  taskId: string,
  size: TerminalSize,
): Promise<void> {
  const connection = await connectTask(context, taskId);
  try {
    mustBeTaken(taskId, await connection.send(sizeFrame(size)));
  } finally {
    connection.close();
  }
}

/** Types into one task, by a connection. */
class Typist {
  readonly #connection: TaskConnection;
  readonly #taskId: string;
  readonly #timeoutMs: number;
  readonly #asksForKeys: () => Promise<boolean>;

  /** @param asksForKeys whether the program has asked for application cursor keys. */
  constructor(
    connection: TaskConnection,
    taskId: string,
    timeoutMs: number,
    asksForKeys: () => Promise<boolean>,
  ) {
    this.#connection = connection;
    this.#taskId = taskId;
    this.#timeoutMs = timeoutMs;
    this.#asksForKeys = asksForKeys;
  }

  async type({ text, press, eof, paste }: SendRequest): Promise<void> {
    const { standing } = this.#connection;
    if (!standing.isOpen) throw inputClosed(this.#taskId, 'found that its input has ended');
    if (!standing.isTerminal && (press.length > 0 || paste))
      throw noTerminal(
        this.#taskId,
        'keys are pressed',
        'Spawn it with a tty (--tty), or end a line with a line break in the text.',
      );
    const bytes = bytesOf(text, { standing, paste });
    checkLines(this.#taskId, bytes, standing);
    for (let at = 0; at < bytes.length; at += mostInputBytes)
      await this.#hand(inputFrame(bytes.subarray(at, at + mostInputBytes)));
    if (paste && press.length > 0) await sleep(pastePauseMs);
    await this.#press(press);
    if (eof) await this.#hand(endFrame());
  }

  async #press(keys: readonly string[]): Promise<void> {
    // A look at the screen may have to read much output, and few keys need it.
    const depend = keys.some((key) => keyBytes(key) !== keyBytes(key, true));
    const isApplication = depend && (await this.#asksForKeys());
    for (const key of keys) await this.#hand(inputFrame(Buffer.from(keyBytes(key, isApplication) ?? '')));
  }

  /** The shim takes what it has room for, and answers when it has taken all. */
  async #hand(frame: Buffer): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(resolve, this.#timeoutMs, 'late');
    });
    const answer = await Promise.race([this.#connection.send(frame), late]);
    clearTimeout(timer);
    if (answer !== 'late') return mustBeTaken(this.#taskId, answer);
    throw new OutliveError(
      'INPUT_FULL',
      `expected task ${this.#taskId} to read its input; found that it did not within ${this.#timeoutMs} ms, and that outlive can keep no more for it. The task may have read a part. Wait until it reads, or stop it.`,
      { details: { taskId: this.#taskId } },
    );
  }
}

/** Text for a terminal has the line breaks of its Enter key. */
function bytesOf(
  text: string | Uint8Array,
  { standing, paste }: { readonly standing: Standing; readonly paste: boolean },
): Buffer {
  if (typeof text !== 'string') return Buffer.from(text);
  if (!standing.isTerminal) return Buffer.from(text);
  const typed = text.replace(/\r?\n/g, '\r');
  // A mark in the text would end the paste, and what follows it would be typed.
  return Buffer.from(paste ? `\x1b[200~${typed.replaceAll('\x1b[201~', '')}\x1b[201~` : typed);
}

function checkLines(taskId: string, bytes: Buffer, { isTerminal, isCanonical }: Standing): void {
  if (!isTerminal || !isCanonical) return;
  for (let at = 0; at < bytes.length; ) {
    const breaks = [bytes.indexOf(0x0d, at), bytes.indexOf(0x0a, at)].filter((found) => found >= 0);
    const end = breaks.length === 0 ? bytes.length : Math.min(...breaks);
    if (end - at > mostLineBytes)
      invalid(
        'the input',
        `lines of at most ${mostLineBytes} bytes, since ${taskId} reads lines from its terminal and the kernel drops the rest. Put it into a file, or spawn the task with stdin: 'open' and no tty`,
        `a line of ${end - at} bytes`,
      );
    at = end + 1;
  }
}

function mustBeTaken(taskId: string, answer: Answer | null): void {
  switch (answer) {
    case 'taken':
      return;
    case 'no-terminal':
      throw noTerminal(taskId, 'a resize sets its size', 'Spawn it with a tty (--tty).');
    case 'bad-size':
      invalid('the size', `1 to ${bounds.terminalSide} columns and rows`, 'another one');
      break;
    case 'closed':
      throw inputClosed(taskId, 'found that its input has ended');
    default:
      throw inputClosed(taskId, 'found that it has ended');
  }
}

function noTerminal(taskId: string, when: string, advice: string): OutliveError {
  return new OutliveError(
    'NO_TERMINAL',
    `expected task ${taskId} to have a terminal when ${when}; found that it has none. ${advice}`,
    { details: { taskId } },
  );
}
