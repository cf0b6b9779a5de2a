import type { z } from 'zod';
import type { OutputChunk } from '../../api/output.ts';
import type { RemoteHost, RemoteTask } from '../../fleet/wire/operations.ts';
import { plainText } from '../../model/plain-text.ts';
import { commandOf } from '../../util/quote.ts';
import { cleaned, inQuotes, oneLine, quoted } from '../text/data.ts';
import type { completionsSchema, outputSchema, taskSchema } from '../text/schemas.ts';
import type { AgentStretch } from './agent-fleet.ts';
import { referenceOf } from './remote-session.ts';

/** Characters of a command, of a reason and of a list of labels that an answer repeats. */
const commandChars = 200;
const reasonChars = 300;

/** Bytes of output that come with an answer, and with an end that rides on one. */
const answerBytes = 4_096;
const previewBytes = 600;

type PresentedTask = z.infer<typeof taskSchema>;

/** The status of a task of the fleet, in the words of local tasks. Only a fleet has `revoked` and `unknown`. */
export function remoteStatusOf({ state, next, end }: RemoteTask): PresentedTask['status'] {
  switch (state) {
    case 'assigned':
      return 'queued';
    case 'accepted':
      return 'running';
    case 'ended':
    case 'delivered':
      return end?.status ?? 'revoked';
    case 'revoked':
      return next === null ? 'revoked' : 'queued';
    case 'unknown':
      return 'unknown';
  }
}

/** One line about a task of the fleet: its name, its status, its command. */
export function sayRemote(task: RemoteTask): string {
  const { spec, end, attempt, reason } = task;
  const name = spec.name === null ? '' : ` ${inQuotes(spec.name)}`;
  const parts = [
    ...(end?.exitCode == null || end.status === 'timed_out' ? [] : [`exit code ${end.exitCode}`]),
    ...(end?.signal == null ? [] : [end.signal]),
    ...(attempt === 1 ? [] : [`attempt ${attempt}`]),
    ...(reason === null ? [] : [reason]),
  ];
  const more = parts.length === 0 ? '' : ` (${oneLine(parts.join(', '), reasonChars)})`;
  return `${referenceOf(task)}${name} ${remoteStatusOf(task)}${more}: ${commandIn(task)}${sayDoubt(task)}`;
}

/** What is not known about a task, so that nobody takes it for an end. */
function sayDoubt({ host, state, mayHaveStarted, next }: RemoteTask): string {
  if (state === 'unknown')
    return `\n[The host ${host} is lost: the command may run there, or have ended. Nobody can say until the host is back. Do not start it again unless that does no harm.]`;
  if (state !== 'revoked' || next !== null) return '';
  return mayHaveStarted ? '' : '\n[It was not started, and will not be.]';
}

function commandIn({ spec: { command } }: RemoteTask): string {
  return oneLine(typeof command === 'string' ? command : commandOf(command), commandChars);
}

/** A task of the fleet as structured answers have it. */
export function presentRemote(task: RemoteTask): PresentedTask {
  const { spec, end, reason } = task;
  return {
    taskId: referenceOf(task),
    name: spec.name === null ? null : oneLine(spec.name),
    command: commandIn(task),
    status: remoteStatusOf(task),
    statusReason: reason === null ? null : oneLine(reason, reasonChars),
    exitCode: end?.exitCode ?? null,
    exitSignal: end?.signal ?? null,
    durationMs: null,
    lastSeenAt: null,
    timeoutMs: spec.timeoutMs,
    pid: null,
    leftovers: [],
  };
}

/** An end that an answer carries, as text. */
export function sayRemoteEnd(task: RemoteTask): string {
  const { end } = task;
  if (end === null || end.tail.trim() === '') return `- ${sayRemote(task)}`;
  const { bytes, omittedBytes } = chunkOfTail(task, previewBytes);
  const more = omittedBytes > 0 ? `\n[the end of its output; all of it: ${whereAll(task)}]` : '';
  return `- ${sayRemote(task)}${more}\n${quoted(bytes.toString('utf8').trimEnd())}`;
}

/** Ends that an answer carries, as structured answers have them. */
export function presentRemoteEnds(tasks: readonly RemoteTask[]): z.infer<typeof completionsSchema> {
  return tasks.map((task) => {
    const { text, omittedBytes, size } = chunkOfTail(task, previewBytes);
    const output = { preview: cleaned(text), truncated: omittedBytes > 0, path: whereAll(task), bytes: size };
    return { ...presentRemote(task), output: { ...output, erasedBytes: null } };
  });
}

/** The command that reads the whole output, since no file of this machine has it. */
export function whereAll(task: Pick<RemoteTask, 'host' | 'task'>): string {
  return `outlive logs ${referenceOf(task)}`;
}

/** The last of the output that the end of a task carries, in whole lines. */
export function chunkOfTail({ end }: RemoteTask, maxBytes = answerBytes): OutputChunk {
  const tail = Buffer.from(end?.tail ?? '');
  const size = end?.outputBytes ?? 0;
  const offset = Math.max(0, size - tail.length);
  return lastLines({ offset, nextOffset: size, size, bytes: tail }, maxBytes);
}

/** The end of a stretch, in whole lines unless the last one is longer. */
export function lastLines(stretch: AgentStretch, maxBytes = answerBytes): OutputChunk {
  const cut = stretch.bytes.subarray(Math.max(0, stretch.bytes.length - maxBytes));
  const isWhole = cut.length === stretch.bytes.length && stretch.offset === 0;
  const line = isWhole ? 0 : cut.indexOf(0x0a) + 1;
  const bytes = cut.subarray(line === cut.length ? 0 : line);
  return chunkOf({ ...stretch, bytes, offset: stretch.nextOffset - bytes.length });
}

/** A stretch of remote output in the form of a local one. @param from the offset that was asked for. */
export function chunkOf({ offset, nextOffset, size, bytes }: AgentStretch, from = 0): OutputChunk {
  const text = bytes.toString('utf8');
  const place = { offset, nextOffset, size, omittedBytes: Math.max(0, offset - from), beginsAt: 0 };
  return { ...place, bytes, text, plain: plainText(text), more: nextOffset < size };
}

/** A stretch of remote output as structured answers have it. */
export function presentRemoteOutput(
  task: RemoteTask,
  chunk: OutputChunk,
  raw = false,
): z.infer<typeof outputSchema> {
  const { offset, nextOffset, beginsAt, omittedBytes, more, size } = chunk;
  const place = { offset, nextOffset, beginsAt, omittedBytes, more, bytes: size };
  return { text: raw ? chunk.text : cleaned(chunk.text), ...place, path: whereAll(task), erasedBytes: null };
}

/** The hosts of the fleet, a line each. */
export function sayHosts(hosts: readonly RemoteHost[]): string[] {
  return hosts
    .filter(({ removed }) => !removed)
    .map(({ host, state, cordoned, draining, labels, slots, running, waiting }) => {
      const marks = [state, ...(cordoned || draining ? ['takes nothing new'] : [])].join(', ');
      const named = Object.entries(labels).map(([key, value]) => (value === '' ? key : `${key}=${value}`));
      const labelled = named.length === 0 ? '' : `, labels ${named.join(' ')}`;
      return `- ${oneLine(`${host}: ${marks}, ${running + waiting} of ${slots} slots taken${labelled}`, reasonChars)}`;
    });
}
