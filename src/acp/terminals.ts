import { isAbsolute } from 'node:path';
import type {
  CreateTerminalRequest,
  CreateTerminalResponse,
  KillTerminalRequest,
  KillTerminalResponse,
  ReleaseTerminalRequest,
  ReleaseTerminalResponse,
  TerminalOutputRequest,
  TerminalOutputResponse,
  WaitForTerminalExitRequest,
  WaitForTerminalExitResponse,
} from '@agentclientprotocol/sdk';
import type { Session } from '../api/session.ts';
import type { Store } from '../api/store.ts';
import type { Task } from '../api/task.ts';
import { type SpawnOptions, spawnOptionNames } from '../engine/spawn/spawn-request.ts';
import { checkOptions, type OptionNames } from '../errors/check-options.ts';
import { OutliveError } from '../errors/error.ts';
import { isEnded } from '../model/words.ts';
import { commandOf } from '../util/quote.ts';
import { beginsAtMeta } from './begins-at.ts';
import { exitStatusOf } from './exit-status.ts';
import { tailText } from './tail-text.ts';

/** What holds for the task of every terminal. A name and a key are of one task: several terminals cannot share them. */
export type TerminalSpawnOptions = Omit<
  SpawnOptions,
  'cwd' | 'env' | 'separate' | 'name' | 'replace' | 'key'
>;

const { cwd: _cwd, env: _env, separate: _separate, ...notTheAgents } = spawnOptionNames;
const { name: _name, replace: _replace, key: _key, ...terminalSpawnOptionNames } = notTheAgents;

/** How to execute terminals. */
export interface TerminalsOptions {
  /** Where the tasks are. It stays open. */
  readonly store: Store;
  /**
   * The outlive session of an ACP session. The agent makes those ids up: an editor with several agents puts the
   * agent into it. @default `acp:` and the id
   */
  readonly sessionOf?: (acpSessionId: string) => string;
  /** Where a command runs for which the agent names no folder. @default the current folder of this process */
  readonly cwdOf?: (acpSessionId: string) => string;
  /** Limits, shell, labels of the tasks. `timeoutMs` is `null` here: the agent sets its own limits of time. */
  readonly spawn?: TerminalSpawnOptions;
  /** Output in one answer, whatever limit the agent asks for. @default 1 MiB */
  readonly maxOutputBytes?: number;
}

const terminalsOptionNames: OptionNames<TerminalsOptions> = {
  store: true,
  sessionOf: true,
  cwdOf: true,
  spawn: true,
  maxOutputBytes: true,
};

/** How to wait for the end of a terminal. */
export interface WaitForExitOptions {
  /** Ends the waiting with the signal's reason as error; the command goes on. */
  readonly abortSignal?: AbortSignal;
}

const waitForExitOptionNames: OptionNames<WaitForExitOptions> = { abortSignal: true };

/** The label that keeps `outputByteLimit` with the task, for editors to come. */
const limitLabel = 'acp.outputByteLimit';

const defaultMaxOutputBytes = 1024 ** 2;

/**
 * The terminals of an editor, made of tasks: the id of a terminal is that of its task. They outlive the editor,
 * and any later one has them again, by the same ids.
 */
export class Terminals {
  readonly #options: TerminalsOptions;
  readonly #released = new Set<string>();
  readonly #known = new Set<string>();

  /** For `serveTerminals` only. */
  constructor(options: TerminalsOptions) {
    this.#options = checkOptions('serveTerminals()', options, terminalsOptionNames);
    checkOptions('the option "spawn" of serveTerminals()', options.spawn ?? {}, terminalSpawnOptionNames);
  }

  /**
   * The outlive session of an ACP session, made if it is new: what ended untold is pending there.
   * @throws OutliveError as `store.session` does.
   */
  async session(acpSessionId: string): Promise<Session> {
    const session = await this.#options.store.session(this.#sessionId(acpSessionId));
    this.#known.add(session.id);
    return session;
  }

  /**
   * `terminal/create`: starts a command in the background. With arguments it is a program, which runs without a shell (on
   * Windows a shell gets the words, quoted); without, a shell command.
   * @throws OutliveError as `session.spawn` does.
   */
  async create(request: CreateTerminalRequest): Promise<CreateTerminalResponse> {
    const { sessionId, command, args = [], env = [], outputByteLimit } = request;
    const cwd = request.cwd ?? this.#options.cwdOf?.(sessionId);
    if (cwd !== undefined && !isAbsolute(cwd)) throw invalid('cwd to be an absolute path', cwd);
    const limit = checkLimit(outputByteLimit);
    const { labels, shell, ...rest } = this.#options.spawn ?? {};
    const words = [command, ...args];
    const isProgram = args.length > 0 && process.platform !== 'win32';
    const task = await (await this.session(sessionId)).spawn(isProgram ? words : commandOf(words), {
      timeoutMs: null,
      ...rest,
      ...(shell !== undefined && !isProgram && { shell }),
      env: Object.fromEntries(env.map(({ name, value }) => [name, value])),
      ...(cwd !== undefined && { cwd }),
      labels: { ...labels, ...(limit !== null && { [limitLabel]: String(limit) }) },
    });
    return { terminalId: task.id };
  }

  /**
   * `terminal/output`: the end of what was written. An answer with an exit status acknowledges the completion.
   * @throws OutliveError `TASK_NOT_FOUND`.
   */
  async output(request: TerminalOutputRequest): Promise<TerminalOutputResponse> {
    const task = await this.#find(request);
    // First whether it ended, then the read: with an exit status the output is complete.
    const snapshot = task.snapshot();
    const { text, truncated, beginsAt } = await tailText(task, this.#limitOf(snapshot.labels[limitLabel]));
    const found = { output: text, truncated, ...beginsAtMeta({ beginsAt }) };
    return isEnded(snapshot.status) ? { ...found, exitStatus: exitStatusOf(await task.wait()) } : found;
  }

  /**
   * `terminal/wait_for_exit`: waits for the end, which acknowledges the completion.
   * @throws OutliveError `TASK_NOT_FOUND`; the abort signal's reason.
   */
  async waitForExit(
    request: WaitForTerminalExitRequest,
    options: WaitForExitOptions = {},
  ): Promise<WaitForTerminalExitResponse> {
    const { abortSignal } = checkOptions('terminals.waitForExit()', options, waitForExitOptionNames);
    const task = await this.#find(request);
    return exitStatusOf(await task.wait({ ...(abortSignal && { abortSignal }) }));
  }

  /**
   * `terminal/kill`: stops the command whole, and answers when it is gone. The id stays valid. The answer says nothing of
   * the end, so the completion stays pending.
   * @throws OutliveError `TASK_NOT_FOUND`, `TASK_ELSEWHERE`.
   */
  async kill(request: KillTerminalRequest): Promise<KillTerminalResponse> {
    await (await this.#find(request)).kill({ ack: false });
    return {};
  }

  /**
   * `terminal/release`: stops the command if it runs, and forgets the id. The task stays in the store.
   * @throws OutliveError `TASK_NOT_FOUND`, `TASK_ELSEWHERE`; then the id stays valid.
   */
  async release(request: ReleaseTerminalRequest): Promise<ReleaseTerminalResponse> {
    const task = await this.#find(request);
    this.#released.add(task.id);
    try {
      if (!isEnded(task.snapshot().status)) await task.kill({ ack: false });
    } catch (error) {
      this.#released.delete(task.id);
      throw error;
    }
    return {};
  }

  /** The task of a terminal, of that session and no other. Asking for one makes no session. */
  async #find({ sessionId, terminalId }: TerminalOutputRequest): Promise<Task> {
    if (this.#released.has(terminalId) || !this.#isKnown(sessionId)) throw notFound(sessionId, terminalId);
    return (await this.session(sessionId)).task(terminalId);
  }

  /** Looks at the store only for sessions that were not asked for before. */
  #isKnown(acpSessionId: string): boolean {
    const id = this.#sessionId(acpSessionId);
    return this.#known.has(id) || this.#options.store.sessions().includes(id);
  }

  #sessionId(acpSessionId: string): string {
    return this.#options.sessionOf?.(acpSessionId) ?? `acp:${acpSessionId}`;
  }

  #limitOf(label: string | undefined): number {
    const { maxOutputBytes = defaultMaxOutputBytes } = this.#options;
    return label === undefined ? maxOutputBytes : Math.min(Number(label), maxOutputBytes);
  }
}

function checkLimit(limit: number | null | undefined): number | null {
  if (limit === null || limit === undefined) return null;
  if (!Number.isSafeInteger(limit) || limit < 0)
    throw invalid('outputByteLimit to be a whole number from 0 on', limit);
  return limit;
}

function invalid(expected: string, found: unknown): OutliveError {
  return new OutliveError('INVALID_ARGUMENT', `expected ${expected}; found ${JSON.stringify(found)}.`);
}

function notFound(sessionId: string, terminalId: string): OutliveError {
  return new OutliveError(
    'TASK_NOT_FOUND',
    `expected a terminal of session ${JSON.stringify(sessionId)} that was not released; found ${JSON.stringify(terminalId)}. Use the id that terminal/create gave.`,
    { details: { taskId: terminalId } },
  );
}
