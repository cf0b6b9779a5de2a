import { isFinal } from '../../fleet/wire/operations.ts';
import { unlessAborted } from '../../util/abort.ts';
import type { ToolAnswer, ToolCall } from '../tool.ts';
import { checkTaken } from './check-places.ts';
import { presentRemote, sayRemote } from './remote-text.ts';
import { taskThere, waitThere } from './there.ts';

/**
 * How long it waits for the end, in milliseconds. The coordinator hears of it a moment after the host has stopped the
 * task.
 */
const endMs = 5_000;

/** Stops a task on another host. */
export async function killThere(
  args: { readonly task: string; readonly grace_ms?: number | undefined },
  call: ToolCall,
): Promise<ToolAnswer> {
  checkTaken(args, ['task', 'grace_ms']);
  const task = await taskThere(call, args.task);
  await unlessAborted(call.abortSignal, task.kill({ graceMs: args.grace_ms ?? null }));
  const known = await waitThere(task, endMs, call.abortSignal);
  const tellsRemote = isFinal(known) ? [known] : [];
  return { text: sayRemote(known), structured: { task: presentRemote(known) }, tells: [], tellsRemote };
}
