import type { OutputChunk } from '../../api/output.ts';
import { OutliveError } from '../../errors/error.ts';
import { isFinal, type RemoteTask } from '../../fleet/wire/operations.ts';
import { unlessAborted } from '../../util/abort.ts';
import { oneLine } from '../text/data.ts';
import { sayOutput } from '../text/present.ts';
import type { ToolCall } from '../tool.ts';
import type { AgentFleetTask } from './agent-fleet.ts';
import type { RemoteCalls } from './remote-delivery.ts';
import { chunkOf, chunkOfTail, lastLines, whereAll } from './remote-text.ts';

/** Bytes of output that come with an answer. */
const answerBytes = 4_096;

/** The fleet of a call that names a task there: {@link checkPlaces} has made sure that there is one. */
export function remoteOf({ remote }: Pick<ToolCall, 'remote'>): RemoteCalls {
  if (remote === null) throw new Error('expected a call with a fleet; found one without');
  return remote;
}

/** The task of a reference. @throws OutliveError `TASK_NOT_FOUND`, `FLEET_HOST`, `FLEET_UNREACHABLE`. */
export async function taskThere(call: Pick<ToolCall, 'remote'>, reference: string): Promise<AgentFleetTask> {
  return await (await remoteOf(call).fleet()).task(reference);
}

/** Waits until a task has ended, its host is lost, or the time is up. Returns the task as it is then. */
export async function waitThere(
  task: AgentFleetTask,
  timeoutMs: number,
  abortSignal: AbortSignal,
): Promise<RemoteTask> {
  return (await unlessAborted(abortSignal, task.wait({ timeoutMs, abortSignal }))) ?? task.known;
}

/** What an answer shows of the output of a remote task: read from its host, or reported by the host with the end. */
export interface OutputThere {
  readonly chunk: OutputChunk;
  /** Why the host could not be asked; empty if it was, or did not need to be. */
  readonly note: string;
}

/** The end of a task's output as it is now. */
export async function outputThere(task: AgentFleetTask, abortSignal: AbortSignal): Promise<OutputThere> {
  const { known } = task;
  if (isFinal(known) || known.state === 'assigned') return { chunk: chunkOfTail(known), note: '' };
  try {
    return { chunk: await unlessAborted(abortSignal, tailThere(task, answerBytes)), note: '' };
  } catch (error) {
    return { chunk: chunkOfTail(known), note: noteOf(error) };
  }
}

/** The last bytes that a host has of the output, in whole lines. */
export async function tailThere(task: AgentFleetTask, maxBytes: number): Promise<OutputChunk> {
  const first = await task.read({ maxBytes });
  if (first.nextOffset >= first.size) return chunkOf(first);
  return lastLines(await task.read({ offset: Math.max(0, first.size - maxBytes), maxBytes }), maxBytes);
}

/** Text for {@link OutputThere}. */
export function sayOutputThere(task: RemoteTask, { chunk, note }: OutputThere): string {
  return `${note}${sayOutput(chunk, whereAll(task))}`;
}

/**
 * What an answer says when a host could not be asked for output.
 * @throws the error if it is not one of outlive.
 */
export function noteOf(error: unknown): string {
  if (!(error instanceof OutliveError)) throw error;
  const [what = ''] = error.message.split('. ');
  return `[The host cannot be asked for its output just now (${error.code}: ${oneLine(what, 200)}).]\n`;
}
