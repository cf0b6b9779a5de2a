import type { Task } from '../api/task.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { isEnded } from '../model/words.ts';
import { changedRows } from '../terminal/changed-rows.ts';
import type { Screen } from '../terminal/screen.ts';
import type { ClientSession } from './delivery/client-session.ts';
import { inQuotes, quoted } from './text/data.ts';
import { sayTask } from './text/present.ts';

/** The size of the terminals that the tools make. */
export const terminalSize = { cols: 100, rows: 30 };

/** The last screen of each terminal that a client was shown. */
const shownTo = new WeakMap<ClientSession, Map<string, Screen>>();

/** How many screens are kept for a client. */
const mostKept = 16;

/**
 * What a terminal shows, as text: only the rows that changed since this client was last shown it, when that is shorter.
 * @param whole whether to show the whole screen in any case.
 */
export function sayScreen(
  clientSession: ClientSession,
  taskId: string,
  screen: Screen,
  whole: boolean,
): string {
  const before = shownTo.get(clientSession)?.get(taskId);
  remember(clientSession, taskId, screen);
  const changed = whole || before === undefined ? null : changedRows(before, screen);
  const { cols, rows, cursor, title, alternate } = screen;
  const head = `Screen, ${cols} x ${rows}, cursor in row ${cursor.y + 1}, column ${cursor.x + 1}${alternate ? ', full-screen program' : ''}${title === '' ? '' : `, title ${inQuotes(title)}`}`;
  if (changed === '') return `${head}: nothing changed.`;
  const lines = changed === null ? wholeScreen(screen) : changed.split('\n');
  return `${head}${changed === null ? '' : '; only the rows that changed, with their numbers'}:\n${quoted(lines.join('\n'))}`;
}

/** Without the empty rows at the end. */
function wholeScreen({ lines }: Screen): readonly string[] {
  const last = lines.findLastIndex((line) => line !== '');
  return last < 0 ? ['(empty)'] : lines.slice(0, last + 1);
}

function remember(clientSession: ClientSession, taskId: string, screen: Screen): void {
  const shown = shownTo.get(clientSession) ?? new Map<string, Screen>();
  shownTo.set(clientSession, shown);
  shown.delete(taskId);
  shown.set(taskId, screen);
  const [oldest] = shown.keys();
  if (shown.size > mostKept && oldest !== undefined) shown.delete(oldest);
}

/** What to tell the model about a task that asks for a password; empty if it does not ask. */
async function sayPassword(task: Task, snapshot: TaskSnapshot): Promise<string> {
  if (snapshot.tty === null || isEnded(snapshot.status)) return '';
  const { input } = await task.waitFor({ input: true, timeoutMs: 0, ack: false });
  if (input?.kind !== 'password') return '';
  return `\nIt asks for a password. Do not make one up and do not ask for it here: tell the person to run "outlive attach ${snapshot.taskId}" and to type it there.`;
}

/** The answer for a task with a terminal: its status and its screen. */
export async function sayTerminal(
  clientSession: ClientSession,
  task: Task,
  snapshot: TaskSnapshot,
  whole = false,
): Promise<string> {
  const screen = sayScreen(clientSession, task.id, await task.screen(), whole);
  const password = await sayPassword(task, snapshot);
  return `${sayTask(snapshot)}\n${screen}${password}`;
}
