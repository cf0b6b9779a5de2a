import type { OutputChunk } from '../api/output.ts';
import type { Task } from '../api/task.ts';
import { checkBytes } from '../engine/session/validate.ts';
import { checkOptions, type OptionNames } from '../errors/check-options.ts';
import { defaults } from '../model/limits.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { isEnded } from '../model/words.ts';
import { beginsAtMeta } from './begins-at.ts';
import { type ExitStatus, exitStatusOf } from './exit-status.ts';

/** `terminal_update` of ACP 2: what is in it replaces what the editor has, the rest stays. */
export interface TerminalUpdate {
  readonly sessionUpdate: 'terminal_update';
  readonly terminalId: string;
  readonly command?: string;
  readonly cwd?: string;
  /** All output to show, in base64. */
  readonly output?: { readonly data: string };
  readonly exitStatus?: ExitStatus | null;
  /** `outlive/beginsAt`: the offset at which the file of the output begins, where somebody made it shorter. */
  readonly _meta?: Readonly<Record<string, unknown>>;
}

/** `terminal_output_chunk` of ACP 2: bytes that follow those before. */
export interface TerminalOutputChunk {
  readonly sessionUpdate: 'terminal_output_chunk';
  readonly terminalId: string;
  /** In base64, each chunk by itself. */
  readonly data: string;
}

/** How to show a task as a terminal. */
export interface TerminalUpdatesOptions {
  /** The editor's name for the terminal. @default the task's id */
  readonly terminalId?: string;
  /** How many bytes of earlier output it shows, from the end. @default 65536 */
  readonly snapshotBytes?: number;
  /** Ends the updates, and nothing else. */
  readonly abortSignal?: AbortSignal;
}

const terminalUpdatesOptionNames: OptionNames<TerminalUpdatesOptions> = {
  terminalId: true,
  snapshotBytes: true,
  abortSignal: true,
};

/**
 * A task as ACP 2 shows it, for an agent to send each as the `update` of a `session/update`, in this order: a
 * snapshot with command, folder and the output so far, then chunks as it grows, then the exit status. Where
 * output was cut out meanwhile, or made shorter from outside, a snapshot takes the place of a chunk. It ends with the
 * task. Showing is not telling: the completion stays pending.
 * @throws OutliveError `INVALID_ARGUMENT`, `TASK_NOT_FOUND`.
 */
export async function* terminalUpdates(
  task: Task,
  options: TerminalUpdatesOptions = {},
): AsyncGenerator<TerminalUpdate | TerminalOutputChunk, void, undefined> {
  checkOptions('terminalUpdates()', options, terminalUpdatesOptionNames);
  const { terminalId = task.id, snapshotBytes = defaults.readBytes, abortSignal } = options;
  checkBytes('snapshotBytes', snapshotBytes, 1);
  const { command, cwd } = task.snapshot();
  const shown = await task.tail({ maxBytes: snapshotBytes });
  const update = { sessionUpdate: 'terminal_update', terminalId } as const;
  yield { ...update, command, cwd, output: outputOf(shown), exitStatus: null, ...beginsAtMeta(shown) };
  const rest = task.follow({ offset: shown.nextOffset, ...(abortSignal && { abortSignal }) });
  let { beginsAt } = shown;
  for await (const chunk of rest) {
    const isErased = chunk.beginsAt > beginsAt;
    beginsAt = chunk.beginsAt;
    if (chunk.omittedBytes > 0 || isErased)
      yield { ...update, output: outputOf(chunk), ...beginsAtMeta(chunk) };
    else if (chunk.bytes.length > 0)
      yield { sessionUpdate: 'terminal_output_chunk', terminalId, data: base64(chunk) };
  }
  const end = await endOf(task, abortSignal);
  if (end !== null) yield { ...update, exitStatus: exitStatusOf(end) };
}

/** The end, which is there when all output was followed; null when somebody has had enough before. */
async function endOf(task: Task, abortSignal: AbortSignal | undefined): Promise<TaskSnapshot | null> {
  if (abortSignal?.aborted || !isEnded(task.snapshot().status)) return null;
  // The log may say so a moment before the completion is pending; a client that sees the end must find it there.
  return await task.wait({ ack: false });
}

function outputOf(chunk: OutputChunk): { readonly data: string } {
  return { data: base64(chunk) };
}

function base64({ bytes }: OutputChunk): string {
  return bytes.toString('base64');
}
