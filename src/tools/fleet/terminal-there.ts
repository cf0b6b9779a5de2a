import { isFinal } from '../../fleet/wire/operations.ts';
import { unlessAborted } from '../../util/abort.ts';
import { sayScreen } from '../terminal-answer.ts';
import type { ToolAnswer, ToolCall } from '../tool.ts';
import type { AgentFleetTask } from './agent-fleet.ts';
import { referenceOf } from './remote-session.ts';
import { presentRemote, sayRemote } from './remote-text.ts';
import { noteOf, taskThere } from './there.ts';

/** Shows the terminal of a task on another host. @throws OutliveError `NO_TERMINAL`, `HOST_UNREACHABLE`. */
export async function screenThere(reference: string, call: ToolCall): Promise<ToolAnswer> {
  const task = await taskThere(call, reference);
  const screen = await screenOf(task, call, true);
  const { known } = task;
  return {
    text: `${sayRemote(known)}\n${screen}`,
    structured: { task: presentRemote(known) },
    tells: [],
    tellsRemote: isFinal(known) ? [known] : [],
  };
}

/** The answer for a task with a terminal there: its status, and its screen if the host can be asked for it. */
export async function sayTerminalThere(
  task: AgentFleetTask,
  call: ToolCall,
  whole: boolean,
): Promise<string> {
  const { known } = task;
  const hasStarted = known.state !== 'assigned' && known.state !== 'revoked';
  if (!hasStarted || (known.localId === null && known.end !== null)) return sayRemote(known);
  try {
    return `${sayRemote(known)}\n${await screenOf(task, call, whole)}`;
  } catch (error) {
    return `${sayRemote(known)}\n${noteOf(error)}`;
  }
}

async function screenOf(task: AgentFleetTask, call: ToolCall, whole: boolean): Promise<string> {
  const screen = await unlessAborted(call.abortSignal, task.screen());
  return sayScreen(call.clientSession, referenceOf(task.known), screen, whole);
}
