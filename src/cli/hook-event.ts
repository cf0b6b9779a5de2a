import { OutliveError } from '../errors/error.ts';

/** What an agent tells a hook of. */
export interface HookEvent {
  readonly name: string;
  /** The id of the conversation. */
  readonly conversation: string;
  /** A subagent has called a tool, and the answer would go to that. */
  readonly isOfSubagent: boolean;
}

const unwritable = /^\uFEFF|\p{Cc}/gu;

/** The answer of a tool can be in it; what is larger is no event. */
const mostBytes = 64 * 1024 * 1024;

/**
 * The event on stdin, in the form of Claude Code.
 * @throws OutliveError `USAGE` when there is none.
 */
export async function readHookEvent(): Promise<HookEvent> {
  if (process.stdin.isTTY) throw noEvent('a terminal');
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin) {
    bytes += chunk.length;
    if (bytes > mostBytes) throw noEvent(`more than ${mostBytes} bytes`);
    chunks.push(chunk);
  }
  return parseHookEvent(Buffer.concat(chunks).toString('utf8'));
}

/**
 * The event that a text says. Control characters in it count as blanks: Claude Code at times writes those of a prompt or a
 * command as they are, which JSON does not allow, and nothing here reads those texts. So does the mark of the byte order.
 * @throws OutliveError `USAGE` for what is no event.
 */
export function parseHookEvent(text: string): HookEvent {
  let data: unknown;
  try {
    data = JSON.parse(text.replace(unwritable, ' '));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw noEvent('no JSON');
  }
  const { hook_event_name: name, session_id: conversation, agent_id: agent } = Object(data);
  if (typeof name !== 'string' || name === '' || typeof conversation !== 'string' || conversation === '')
    throw noEvent('JSON without a name of the event, or without a session');
  return { name, conversation, isOfSubagent: agent !== undefined && agent !== null };
}

/** What a hook prints so that the model is shown texts. */
export function hookAnswer(
  { name }: HookEvent,
  { ends, lines }: { readonly ends: readonly string[]; readonly lines: readonly string[] },
): string {
  const additionalContext = [
    ...(lines.length > 0 ? [`outlive: lines that you watch for:\n${lines.join('')}`] : []),
    ...(ends.length > 0
      ? [`outlive: ended in the background since you were last told:\n${ends.join('')}`]
      : []),
  ].join('');
  return `${JSON.stringify({ hookSpecificOutput: { hookEventName: name, additionalContext } })}\n`;
}

function noEvent(found: string): OutliveError {
  return new OutliveError(
    'USAGE',
    `expected the event of a hook on stdin, as JSON with hook_event_name and session_id; found ${found}. Without a hook: outlive completions --ack`,
  );
}
