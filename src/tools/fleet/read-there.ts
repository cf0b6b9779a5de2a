import { compilePattern } from '../../engine/watches/compile-pattern.ts';
import { OutliveError } from '../../errors/error.ts';
import type { RemoteTask } from '../../fleet/wire/operations.ts';
import { LineSearch } from '../../model/line-search.ts';
import { checkPattern } from '../../model/pattern.ts';
import { unlessAborted } from '../../util/abort.ts';
import { monotonicMs, yieldToOthers } from '../../util/wait.ts';
import { characterAt } from '../text/character-at.ts';
import { sayOutput } from '../text/present.ts';
import { type Found, sayFound, searchMs } from '../text/say-found.ts';
import type { ToolAnswer, ToolCall } from '../tool.ts';
import type { AgentFleetTask } from './agent-fleet.ts';
import { checkTaken } from './check-places.ts';
import {
  chunkOf,
  chunkOfTail,
  presentRemote,
  presentRemoteOutput,
  sayRemote,
  whereAll,
} from './remote-text.ts';
import { noteOf, tailThere, taskThere } from './there.ts';

/** The most that a host is asked for at a time, in bytes. */
const mostReadBytes = 256 * 1_024;

interface ReadThere {
  readonly task: string;
  readonly offset?: number | undefined;
  readonly head?: boolean | undefined;
  readonly pattern?: string | undefined;
  readonly raw?: boolean | undefined;
}

/** Reads the output of a task on another host. @param maxBytes how many bytes at most. */
export async function readThere(args: ReadThere, maxBytes: number, call: ToolCall): Promise<ToolAnswer> {
  checkTaken(args, ['task', 'offset', 'head', 'pattern', 'raw', 'max_bytes']);
  const task = await taskThere(call, args.task);
  const work = args.pattern === undefined ? page(task, args, maxBytes) : search(task, args, maxBytes);
  return await unlessAborted(call.abortSignal, work);
}

async function page(task: AgentFleetTask, args: ReadThere, maxBytes: number): Promise<ToolAnswer> {
  const { known } = task;
  const { raw = false } = args;
  const { chunk, note } = await pageOrTail(task, args, maxBytes);
  const next = chunk.more && note === '' ? `\n[read on from offset ${chunk.nextOffset}]` : '';
  return {
    text: `${sayRemote(known)}\n${note}${sayOutput(chunk, whereAll(known), raw)}${next}`,
    structured: { task: presentRemote(known), output: presentRemoteOutput(known, chunk, raw) },
    tells: [],
  };
}

/** Reads the output on the host. If the host cannot be asked, shows the last output that it reported with the end. */
async function pageOrTail(task: AgentFleetTask, args: ReadThere, maxBytes: number) {
  const offset = args.offset ?? (args.head === true ? 0 : undefined);
  const { known } = task;
  // Nothing has been written yet.
  if (known.state === 'assigned' || (known.localId === null && known.end !== null))
    return { chunk: chunkOfTail(known, maxBytes), note: '' };
  try {
    if (offset === undefined) return { chunk: await tailThere(task, maxBytes), note: '' };
    const from = await characterAt(
      async (at, most) => await task.read({ offset: at, maxBytes: most }),
      offset,
    );
    return { chunk: chunkOf(await task.read({ offset: from, maxBytes }), from), note: '' };
  } catch (error) {
    if (!isUnreachable(error) || !hasTail(known)) throw error;
    return { chunk: chunkOfTail(known, maxBytes), note: noteOf(error) };
  }
}

function hasTail({ end }: RemoteTask): boolean {
  return end !== null && end.tail !== '';
}

function isUnreachable(error: unknown): boolean {
  return error instanceof OutliveError && error.code === 'HOST_UNREACHABLE';
}

async function search(task: AgentFleetTask, args: ReadThere, maxBytes: number): Promise<ToolAnswer> {
  const { known } = task;
  const { pattern = '', offset = 0 } = args;
  const matcher = await compilePattern(checkPattern({ regexp: pattern }));
  const lines = new LineSearch(matcher, offset);
  const found: Found = { matches: [], next: null, isLate: false };
  const endAt = monotonicMs() + searchMs;
  let bytes = 0;
  /** @returns whether there is room for more. */
  const add = (line: string, lineOffset: number): boolean => {
    bytes += Buffer.byteLength(line) + 1;
    const isFull = bytes > maxBytes && found.matches.length > 0;
    if (isFull) found.next = lineOffset;
    else found.matches.push({ offset: lineOffset, line });
    return !isFull;
  };
  for (let at = offset; found.next === null && !found.isLate; ) {
    const stretch = await task.read({ offset: at, maxBytes: Math.min(matcher.stretchBytes, mostReadBytes) });
    const isLast = stretch.bytes.length === 0;
    const rest = isLast ? lines.rest() : null;
    const matches = isLast ? (rest === null ? [] : [rest]) : lines.take(stretch.bytes, stretch.offset);
    for (const { line, lineOffset } of matches) if (!add(line, lineOffset)) break;
    if (isLast) break;
    at = stretch.nextOffset;
    found.isLate = monotonicMs() > endAt;
    await yieldToOthers();
  }
  found.isLate &&= found.next === null;
  return {
    text: `${sayRemote(known)}\n${sayFound(found)}`,
    structured: { task: presentRemote(known), found: { matches: found.matches, next: found.next } },
    tells: [],
  };
}
