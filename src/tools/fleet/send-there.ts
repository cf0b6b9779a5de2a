import { monotonicMs, sleep } from '../../util/wait.ts';
import { quoted } from '../text/data.ts';
import type { ToolAnswer, ToolCall } from '../tool.ts';
import type { AgentFleetTask } from './agent-fleet.ts';
import { checkTaken } from './check-places.ts';
import { isOverThere, presentRemote, sayRemote } from './remote-text.ts';
import { taskThere, unlessAborted } from './there.ts';

/** An answer comes when nothing was written for `quietMs`, and not before the program had `firstMs` to say something. */
const quietMs = 300;
const firstMs = 600;
/** Between two looks, each of which is a question to the host. */
const lookMs = 100;

/** Bytes of output that come with an answer. */
const mostBytes = 4_096;

interface SendThere {
  readonly task: string;
  readonly text?: string | undefined;
  readonly eof?: boolean | undefined;
}

/** Types into a task on another host, and says what came of it. @param waitMs how long to wait at most, in milliseconds. */
export async function sendThere(args: SendThere, waitMs: number, call: ToolCall): Promise<ToolAnswer> {
  checkTaken(args, ['task', 'text', 'eof', 'wait_ms']);
  const { text = '', eof = false } = args;
  const task = await taskThere(call, args.task);
  const before = await sizeOf(task);
  await unlessAborted(call.abortSignal, task.send(text, { eof }));
  const size = await untilQuiet(task, before, waitMs, call.abortSignal);
  const from = Math.max(before, size - mostBytes);
  const { bytes } = await task.read({ offset: from, maxBytes: mostBytes });
  const left = from > before ? `[${from - before} bytes before this left out]\n` : '';
  const output = bytes.length === 0 ? '[no new output]' : `${left}${quoted(bytes.toString('utf8'))}`;
  const known = await task.show();
  return {
    text: `${sayRemote(known)}\n${output}`,
    structured: { task: presentRemote(known) },
    tells: [],
    tellsRemote: isOverThere(known) ? [known] : [],
  };
}

async function sizeOf(task: AgentFleetTask): Promise<number> {
  return (await task.read({ maxBytes: 1 })).size;
}

/** Waits until the task has said something and then nothing more for a moment, or the time is up; how much it has written. */
async function untilQuiet(
  task: AgentFleetTask,
  before: number,
  waitMs: number,
  abortSignal: AbortSignal,
): Promise<number> {
  const begin = monotonicMs();
  let { size, since } = { size: before, since: begin };
  for (;;) {
    const found = await unlessAborted(abortSignal, sizeOf(task));
    const now = monotonicMs();
    if (found !== size) ({ size, since } = { size: found, since: now });
    const isQuiet = now - since >= (size === before ? firstMs : quietMs);
    if (isQuiet || now - begin >= waitMs) return size;
    await sleep(lookMs);
  }
}
