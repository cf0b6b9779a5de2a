import type { z } from 'zod';
import type { OutputChunk } from '../api/output.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { isEnded } from '../model/words.ts';
import type { completionsSchema, outputSchema, taskSchema } from './schemas.ts';

/** Characters of a command that an answer repeats. */
const commandChars = 200;

/** A task as it stands in structured answers. */
export function presentTask(snapshot: TaskSnapshot): z.infer<typeof taskSchema> {
  const { taskId, name, status, statusReason, exitCode, killSignal, durationMs, timeoutMs, pid } = snapshot;
  const command = head(snapshot.command);
  const leftovers = snapshot.leftovers.map((process) => ({ pid: process.pid, command: process.command }));
  const fate = { status, statusReason, exitCode, killSignal, durationMs, timeoutMs, pid };
  return { taskId, name, command, ...fate, leftovers };
}

/** A stretch of output as it stands in structured answers. */
export function presentOutput(
  snapshot: TaskSnapshot,
  chunk: OutputChunk,
  raw = false,
  stream: 'stdout' | 'stderr' = 'stdout',
): z.infer<typeof outputSchema> {
  const { offset, nextOffset, omittedBytes, more, size } = chunk;
  const path = stream === 'stderr' ? (snapshot.output.stderrPath ?? '') : snapshot.output.path;
  const text = raw ? chunk.text : chunk.plain;
  return { text, offset, nextOffset, omittedBytes, more, path, bytes: size };
}

/** Completions as they stand in structured answers. */
export function presentCompletions(snapshots: readonly TaskSnapshot[]): z.infer<typeof completionsSchema> {
  return snapshots.map((snapshot) => {
    const { preview, truncated, path, bytes } = snapshot.output;
    return { ...presentTask(snapshot), output: { preview, truncated, path, bytes } };
  });
}

/** One line about a task: who, what became of it, how long it took. */
export function sayTask(snapshot: TaskSnapshot): string {
  const name = snapshot.name === null ? '' : ` ${JSON.stringify(snapshot.name)}`;
  const time = snapshot.durationMs === null ? '' : ` after ${sayDuration(snapshot.durationMs)}`;
  const leftovers = sayLeftovers(snapshot);
  return `${snapshot.taskId}${name} ${sayFate(snapshot)}${time}${leftovers}: ${head(snapshot.command)}`;
}

/** The status with what belongs to it: `failed (exit code 2)`. */
export function sayFate(snapshot: TaskSnapshot): string {
  const { status, statusReason, exitCode, killSignal } = snapshot;
  const code = exitCode === null || status === 'timed_out' ? null : `exit code ${exitCode}`;
  const parts = [code, killSignal, statusReason].filter((part) => part !== null);
  return parts.length === 0 ? status : `${status} (${parts.join(', ')})`;
}

/** Output as text, with a line about what is not in it. */
export function sayOutput(output: z.infer<typeof outputSchema>): string {
  const before = output.omittedBytes > 0 ? `[${output.omittedBytes} bytes before this left out]\n` : '';
  const body = output.text === '' ? '[no output]' : output.text.replace(/\n$/, '');
  return `${before}${body}\n[${output.bytes} bytes in all, in ${output.path}]`;
}

/** Completions as text. */
export function sayCompletions(snapshots: readonly TaskSnapshot[], left: number): string {
  const lines = snapshots.map((snapshot) => {
    const { preview, truncated, path } = snapshot.output;
    const shown = preview.trim() === '' ? '' : `\n${truncated ? '[...] ' : ''}${preview.trimEnd()}`;
    return `- ${sayTask(snapshot)}${shown}${truncated ? `\n[whole output: ${path}]` : ''}`;
  });
  const more = left > 0 ? `\n${left} more have ended; the next answers tell of them.` : '';
  return `Ended since you were last told:\n${lines.join('\n')}${more}`;
}

/** A duration as people say it. */
export function sayDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${Math.round(ms / 100) / 10} s`;
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`;
  return `${Math.round(ms / 3_600_000)} h`;
}

function sayLeftovers(snapshot: TaskSnapshot): string {
  if (!isEnded(snapshot.status) || snapshot.leftovers.length === 0) return '';
  const pids = snapshot.leftovers.map((process) => process.pid).join(', ');
  return `, but processes of it still run (pid ${pids}; "kill" stops them)`;
}

function head(command: string): string {
  return command.length > commandChars ? `${command.slice(0, commandChars)} ...` : command;
}
