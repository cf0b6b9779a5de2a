import type { z } from 'zod';
import type { OutputChunk } from '../../api/output.ts';
import { sayErased } from '../../model/erased.ts';
import type { PatternMatch } from '../../model/line-search.ts';
import { lostOutput } from '../../model/lost-output.ts';
import { sayHowLong, type TaskSnapshot } from '../../model/snapshot.ts';
import { isEnded } from '../../model/words.ts';
import type { RidingLines } from '../delivery/watched-lines.ts';
import { cleaned, inQuotes, lastLine, oneLine, quoted, quotedRaw } from './data.ts';
import type { Excerpt } from './excerpt.ts';
import { sayPipeline } from './pipeline.ts';
import type { completionsSchema, linesSchema, outputSchema, taskSchema } from './schemas.ts';

/** Characters of a command that an answer repeats. */
const commandChars = 200;

/** A task as structured answers have it. */
export function presentTask(snapshot: TaskSnapshot): z.infer<typeof taskSchema> {
  const { taskId, name, status, statusReason, exitCode, exitSignal, timeoutMs, pid } = snapshot;
  const { durationMs, lastSeenAt } = snapshot;
  const command = oneLine(snapshot.command, commandChars);
  const leftovers = snapshot.leftovers.map((process) => ({
    pid: process.pid,
    command: oneLine(process.command, commandChars),
  }));
  const fate = { status, statusReason, exitCode, exitSignal, durationMs, lastSeenAt, timeoutMs, pid };
  return { taskId, name: name === null ? null : oneLine(name), command, ...fate, leftovers };
}

/** A stretch of output as structured answers have it. */
export function presentOutput(
  snapshot: TaskSnapshot,
  chunk: OutputChunk,
  raw = false,
  stream: 'stdout' | 'stderr' = 'stdout',
): z.infer<typeof outputSchema> {
  const { offset, nextOffset, beginsAt, omittedBytes, more, size } = chunk;
  const { erasedBytes } = snapshot.output;
  const path = stream === 'stderr' ? (snapshot.output.stderrPath ?? '') : snapshot.output.path;
  const text = raw ? chunk.text : cleaned(chunk.text);
  return { text, offset, nextOffset, beginsAt, omittedBytes, more, path, bytes: size, erasedBytes };
}

/** What an answer shows of an output, as structured answers have it. */
export function presentExcerpt(
  snapshot: TaskSnapshot,
  { head, tail }: Excerpt,
): z.infer<typeof outputSchema> {
  const shown = presentOutput(snapshot, tail);
  if (head === null) return shown;
  return { ...shown, head: cleaned(head.text), omittedBytes: tail.offset - head.nextOffset };
}

/** Completions as structured answers have them. */
export function presentCompletions(snapshots: readonly TaskSnapshot[]): z.infer<typeof completionsSchema> {
  return snapshots.map((snapshot) => {
    const { truncated, path, bytes, erasedBytes } = snapshot.output;
    const preview = cleaned(snapshot.output.preview);
    return { ...presentTask(snapshot), output: { preview, truncated, path, bytes, erasedBytes } };
  });
}

/** One line about a task: its id and name, its status, how long it took, its command. */
export function sayTask(snapshot: TaskSnapshot): string {
  const name = snapshot.name === null ? '' : ` ${inQuotes(snapshot.name)}`;
  const rest = `${sayLeftovers(snapshot)}${sayLost(snapshot)}`;
  return `${snapshot.taskId}${name} ${sayFate(snapshot)}${sayTime(snapshot)}${rest}: ${oneLine(snapshot.command, commandChars)}`;
}

/** One line about how a task is doing: its status, and the last line of its output. */
export function sayLatest(snapshot: TaskSnapshot): string {
  const line = lastLine(snapshot.output.preview);
  const { durationMs, status } = snapshot;
  const time = isEnded(status) ? sayTime(snapshot) : durationMs === null ? '' : ` ${sayDuration(durationMs)}`;
  return `${sayFate(snapshot)}${time}${line === null ? '' : ` | ${line}`}`;
}

/** How long it took: text that follows {@link sayFate}. */
function sayTime(snapshot: TaskSnapshot): string {
  const howLong = sayHowLong(snapshot, sayDuration);
  return howLong === '' ? '' : `${snapshot.durationMs === null ? ',' : ''} ${howLong}`;
}

/** The status with what belongs to it: `failed (exit code 2)`. */
function sayFate(snapshot: TaskSnapshot): string {
  const { status, statusReason, exitCode, exitSignal } = snapshot;
  const code = exitCode === null || status === 'timed_out' ? null : `exit code ${exitCode}`;
  const parts = [code, exitSignal, statusReason].filter((part) => part !== null);
  return parts.length === 0 ? status : `${status} (${oneLine(parts.join(', '))})`;
}

/** A stretch of output as text, with lines about what is not in it. */
export function sayOutput(chunk: OutputChunk, path: string, raw = false): string {
  const erased = chunk.beginsAt > 0 ? `[outlive: ${sayErased(chunk.beginsAt)}]\n` : '';
  const before = chunk.omittedBytes > 0 ? `${sayLeftOut(chunk.omittedBytes, path)}\n` : '';
  return `${erased}${before}${sayText(chunk, raw)}`;
}

/** What an answer shows of an output. */
export function sayExcerpt({ head, tail }: Excerpt, path: string): string {
  if (head === null) return sayOutput(tail, path);
  const erased = head.beginsAt > 0 ? `[outlive: ${sayErased(head.beginsAt)}]\n` : '';
  const between = tail.offset - head.nextOffset;
  const left = between > 0 ? `${sayLeftOut(between, path)}\n` : '';
  return `${erased}${sayText(head)}\n${left}${sayText(tail)}`;
}

function sayText({ bytes, text }: OutputChunk, raw = false): string {
  if (bytes.length === 0) return '[no output]';
  return raw ? quotedRaw(text) : quoted(text);
}

function sayLeftOut(bytes: number, path: string): string {
  return `[${bytes} bytes left out; all of it: ${oneLine(path)}]`;
}

/** A completion as text. */
export function sayCompletion(snapshot: TaskSnapshot): string {
  return `- ${sayTask(snapshot)}${sayPipeline(snapshot)}${sayPreview(snapshot)}`;
}

/** Ends that an answer carries. @param left how many more the next answers tell. */
export function sayEnds(lines: readonly string[], left: number): string {
  const more = left > 0 ? `\n${left} more have ended; the next answers tell of them.` : '';
  return `Ended since you were last told:\n${lines.join('\n')}${more}`;
}

/** Lines that watches have found, as structured answers have them. */
export function presentLines({ found }: RidingLines): z.infer<typeof linesSchema> {
  return found.map(({ match, task, pattern }) => ({
    taskId: task.taskId,
    pattern,
    line: cleaned(match.line),
    offset: match.lineOffset,
    dropped: match.dropped,
  }));
}

/** Characters of a line with a match that are shown. */
const matchChars = 400;

/** The line in which a pattern matches; of a long line, the part around the match. */
export function sayMatch({ line, text }: Pick<PatternMatch, 'line' | 'text'>): string {
  if (line.length <= matchChars) return quoted(line);
  const begin = Math.max(0, line.indexOf(text) - matchChars / 4);
  const end = begin + matchChars;
  return quoted(`${begin > 0 ? '... ' : ''}${line.slice(begin, end)}${end < line.length ? ' ...' : ''}`);
}

/** Lines that watches have found, as text. */
export function sayLines({ found, more }: RidingLines): string {
  const lines = found.map(({ match, task, pattern }) => {
    const name = task.name === null ? '' : ` ${inQuotes(task.name)}`;
    const dropped = match.dropped > 0 ? `, ${match.dropped} lines before it left out` : '';
    const where = `at byte ${match.lineOffset}${dropped}`;
    return `- ${task.taskId}${name} ${where}, for ${inQuotes(pattern)}:\n${sayMatch(match)}`;
  });
  const rest = more ? '\nThere are more; the next answers tell of them.' : '';
  return `Lines that you watch for:\n${lines.join('\n')}${rest}`;
}

/** The last whole lines of what it has written. */
function sayPreview({ output: { preview, truncated, path } }: TaskSnapshot): string {
  if (preview.trim() === '') return '';
  const shown = truncated ? preview.slice(preview.indexOf('\n') + 1) || preview : preview;
  return `${truncated ? `\n[the end of its output; all of it: ${oneLine(path)}]` : ''}\n${quoted(shown.trimEnd())}`;
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
  return `, but some of its processes still run (pid ${pids}; "kill" stops them)`;
}

function sayLost({ output }: TaskSnapshot): string {
  const lost = lostOutput(output);
  if (lost === null) return '';
  return output.droppedBytes > 0 ? `, but ${lost}` : `, but ${lost} (output: "pipe" keeps all)`;
}
