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
import type { SpawnOptions } from '../engine/spawn-request.ts';
import { OutliveError } from '../errors/error.ts';
import { isEnded } from '../model/words.ts';
import { commandOf } from '../util/quote.ts';
import { exitStatusOf } from './exit-status.ts';
import { tailText } from './tail-text.ts';

/** What holds for the task of every terminal. */
export type TerminalSpawnOptions = Omit<SpawnOptions, 'cwd' | 'env' | 'separate'>;

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
    this.#options = options;
  }

  /**
   * The outlive session of an ACP session, made if it is new: what ended untold is owed there.
   * @throws OutliveError as `store.session` does.
   */
  async session(acpSessionId: string): Promise<Session> {
    const session = await this.#options.store.session(this.#sessionId(acpSessionId));
    this.#known.add(session.id);
    return session;
  }

  /**
   * `terminal/create`: starts a command in the background. With arguments it is an argv, each word taken as it
   * is; without, a shell command.
   * @throws OutliveError as `session.spawn` does.
   */
  async create(request: CreateTerminalRequest): Promise<CreateTerminalResponse> {
    const { sessionId, command, args = [], env = [], outputByteLimit } = request;
    const cwd = request.cwd ?? this.#options.cwdOf?.(sessionId);
    if (cwd !== undefined && !isAbsolute(cwd)) throw invalid('cwd to be an absolute path', cwd);
    const limit = checkLimit(outputByteLimit);
    const { labels, ...rest } = this.#options.spawn ?? {};
    const task = await (await this.session(sessionId)).spawn(commandOf([command, ...args]), {
      timeoutMs: null,
      ...rest,
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
    const { text, truncated } = await tailText(task, this.#limitOf(snapshot.labels[limitLabel]));
    if (!isEnded(snapshot.status)) return { output: text, truncated };
    return { output: text, truncated, exitStatus: exitStatusOf(await task.wait()) };
  }

  /**
   * `terminal/wait_for_exit`: waits for the end, which acknowledges the completion.
   * @throws OutliveError `TASK_NOT_FOUND`; the abort signal's reason.
   */
  async waitForExit(
    request: WaitForTerminalExitRequest,
    { abortSignal }: { readonly abortSignal?: AbortSignal } = {},
  ): Promise<WaitForTerminalExitResponse> {
    const task = await this.#find(request);
    return exitStatusOf(await task.wait({ ...(abortSignal && { abortSignal }) }));
  }

  /**
   * `terminal/kill`: stops the command whole, and answers when it is gone. The id stays valid.
   * @throws OutliveError `TASK_NOT_FOUND`, `TASK_ELSEWHERE`.
   */
  async kill(request: KillTerminalRequest): Promise<KillTerminalResponse> {
    await (await this.#find(request)).kill();
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
      if (!isEnded(task.snapshot().status)) await task.kill();
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
