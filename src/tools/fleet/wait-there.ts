import type { WaitForResult } from '../../engine/wait/wait-for-options.ts';
import { compilePattern } from '../../engine/watches/compile-pattern.ts';
import { OutliveError } from '../../errors/error.ts';
import { isFinal, type RemoteTask } from '../../fleet/wire/operations.ts';
import { type LineMatcher, LineSearch, type PatternMatch } from '../../model/line-search.ts';
import { checkPattern } from '../../model/pattern.ts';
import { unlessAborted } from '../../util/abort.ts';
import { after, yieldToOthers } from '../../util/wait.ts';
import { sayCause } from '../text/say-cause.ts';
import type { ToolAnswer, ToolCall } from '../tool.ts';
import type { AgentFleetTask } from './agent-fleet.ts';
import { checkTaken } from './check-places.ts';
import { presentRemote, presentRemoteOutput, sayRemote } from './remote-text.ts';
import { outputThere, sayOutputThere, taskThere, waitThere } from './there.ts';

/** How long the fleet may take to say which tasks run, in milliseconds. */
const listMs = 2_000;

/** How many tasks at most it waits for at a time: each is a request to the coordinator. */
const mostWaits = 20;

/** The arguments of a wait for one task on another host. */
const taken = ['task', 'pattern', 'from', 'timeout_ms'] as const;

interface WaitThere {
  readonly task: string;
  readonly pattern?: string | undefined;
  readonly from?: number | undefined;
}

/** Waits for the end of a task on another host, or for a line of its output. */
export async function waitForThere(args: WaitThere, timeoutMs: number, call: ToolCall): Promise<ToolAnswer> {
  checkTaken(args, taken);
  const { pattern, from = 0 } = args;
  const matcher = pattern === undefined ? null : await compilePattern(checkPattern({ regexp: pattern }));
  const task = await taskThere(call, args.task);
  const stop = new AbortController();
  const abortSignal = AbortSignal.any([call.abortSignal, stop.signal]);
  const ended = waitThere(task, timeoutMs, abortSignal).then(() => null);
  const works =
    matcher === null ? [ended] : [ended, orNever(find(task, matcher, from, abortSignal), abortSignal)];
  let match: PatternMatch | null;
  try {
    match = await Promise.race(works);
  } finally {
    stop.abort();
    await Promise.allSettled([ended]);
  }
  return await answerThere(task, { match, timeoutMs }, call.abortSignal);
}

/** How a wait for a task on another host is answered. */
export async function answerThere(
  task: AgentFleetTask,
  { match, timeoutMs }: { readonly match: PatternMatch | null; readonly timeoutMs: number },
  abortSignal: AbortSignal,
): Promise<ToolAnswer> {
  const { known } = task;
  const cause = causeOf(known, match);
  const output = await outputThere(task, abortSignal);
  const found = match === null ? {} : { match: { line: match.line, nextOffset: match.nextOffset } };
  const said = cause === 'unknown' ? '' : sayCause({ cause, match }, timeoutMs);
  return {
    text: `${sayRemote(known)}\n${said}${sayOutputThere(known, output)}`,
    structured: {
      task: presentRemote(known),
      output: presentRemoteOutput(known, output.chunk),
      cause,
      ...found,
    },
    tells: [],
    tellsRemote: isFinal(known) ? [known] : [],
  };
}

function causeOf(known: RemoteTask, match: PatternMatch | null): WaitForResult['cause'] | 'unknown' {
  if (match !== null) return 'pattern';
  if (isFinal(known)) return 'exit';
  return known.state === 'unknown' ? 'unknown' : 'timeout';
}

/** The first match in the output, which may still grow; null if the output has ended without one. */
async function find(
  task: AgentFleetTask,
  matcher: LineMatcher,
  offset: number,
  abortSignal: AbortSignal,
): Promise<PatternMatch | null> {
  const lines = new LineSearch(matcher, offset);
  const { stretchBytes } = matcher;
  for await (const piece of task.follow({ offset, abortSignal })) {
    for (let at = 0; at < piece.bytes.length; at += stretchBytes) {
      const [match] = lines.take(piece.bytes.subarray(at, at + stretchBytes), piece.offset + at);
      if (match !== undefined) return match;
      await yieldToOthers();
    }
    const match = lines.rest();
    if (match !== null) return match;
  }
  return null;
}

/** If nothing is found, or the host cannot be asked, this never resolves: the end of the task ends the wait. */
async function orNever<T>(work: Promise<T | null>, abortSignal: AbortSignal): Promise<T | null> {
  const found = await work.catch((error: unknown) => {
    if (error instanceof OutliveError || abortSignal.aborted) return null;
    throw error;
  });
  return found ?? (await new Promise<never>(() => undefined));
}

/**
 * Waits for the next task of the session that ends on other hosts. One that has already ended, but was not told of,
 * comes first.
 * @returns one that still runs when the time is up; null when there was nothing to wait for, or the fleet cannot be asked.
 */
export async function nextEndThere(
  { remote, abortSignal }: Pick<ToolCall, 'remote' | 'abortSignal'>,
  timeoutMs: number,
): Promise<AgentFleetTask | null> {
  if (remote === null) return null;
  const pending = remote.untold();
  try {
    if (pending !== null) return await (await remote.fleet()).task(`${pending.host}/${pending.task}`);
    const live = await within(listMs, liveTasks(remote));
    if (live === null || live.length === 0) return null;
    const stop = new AbortController();
    const either = AbortSignal.any([abortSignal, stop.signal]);
    const waits = live.map(async (task) => {
      await waitThere(task, timeoutMs, either);
      return task;
    });
    try {
      return await unlessAborted(abortSignal, Promise.race(waits));
    } finally {
      stop.abort();
      await Promise.allSettled(waits);
    }
  } catch (error) {
    // Another line of the answer says that the fleet cannot be asked.
    if (error instanceof OutliveError) return null;
    throw error;
  }
}

async function liveTasks(remote: NonNullable<ToolCall['remote']>): Promise<AgentFleetTask[]> {
  const fleet = await remote.fleet();
  const found: AgentFleetTask[] = [];
  for await (const task of fleet.tasks({ session: remote.session })) {
    const isLive = task.state === 'assigned' || task.state === 'accepted';
    if (isLive && remote.mayHear(task)) found.push(await fleet.task(`${task.host}/${task.task}`));
    if (found.length >= mostWaits) break;
  }
  return found;
}

/** The result of the work; null if it takes longer. */
export async function within<T>(ms: number, work: Promise<T>): Promise<T | null> {
  const settled = Promise.allSettled([work]);
  const late = new Promise<null>((resolve) => after(ms, () => resolve(null)));
  return (await Promise.race([settled, late])) === null ? null : await work;
}
