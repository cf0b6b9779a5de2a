import { isFinal } from '../../fleet/wire/operations.ts';
import { unlessAborted } from '../../util/abort.ts';
import { quoted } from '../text/data.ts';
import type { ToolAnswer, ToolCall } from '../tool.ts';
import type { AgentFleetTask } from './agent-fleet.ts';
import { sizeOf, untilQuietThere } from './quiet-there.ts';
import { presentRemote, sayRemote } from './remote-text.ts';
import { sayTerminalThere } from './terminal-there.ts';
import { taskThere } from './there.ts';

/** Bytes of output that come with an answer. */
const mostBytes = 4_096;

interface SendThere {
  readonly task: string;
  readonly text?: string | undefined;
  readonly keys?: readonly string[] | undefined;
  readonly eof?: boolean | undefined;
  readonly paste?: boolean | undefined;
}

/**
 * Types into a task on another host, and answers with what it writes then.
 * @param waitMs how long to wait at most, in milliseconds.
 */
export async function sendThere(args: SendThere, waitMs: number, call: ToolCall): Promise<ToolAnswer> {
  const { text = '', keys = [], eof = false, paste = false } = args;
  const task = await taskThere(call, args.task);
  const before = await sizeOf(task);
  await unlessAborted(call.abortSignal, task.send(text, { press: keys, eof, paste }));
  const size = await untilQuietThere(task, before, waitMs, call.abortSignal);
  const known = await task.show();
  const said = known.spec.tty
    ? await sayTerminalThere(task, call, false)
    : `${sayRemote(known)}\n${await sayNewOutput(task, before, size)}`;
  return {
    text: said,
    structured: { task: presentRemote(known) },
    tells: [],
    tellsRemote: isFinal(known) ? [known] : [],
  };
}

async function sayNewOutput(task: AgentFleetTask, before: number, size: number): Promise<string> {
  const from = Math.max(before, size - mostBytes);
  const { bytes } = await task.read({ offset: from, maxBytes: mostBytes });
  const left = from > before ? `[${from - before} bytes before this left out]\n` : '';
  return bytes.length === 0 ? '[no new output]' : `${left}${quoted(bytes.toString('utf8'))}`;
}
