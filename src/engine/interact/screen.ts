import { checkOptions, type OptionNames } from '../../errors/check-options.ts';
import { expected, isExpected } from '../../errors/expected.ts';
import type { LiveScreen } from '../../terminal/live-screen.ts';
import type { Screen } from '../../terminal/screen.ts';
import { holdProcess } from '../../util/wait.ts';
import { background } from '../session/background.ts';
import type { SessionContext } from '../session/context.ts';
import { openTaskScreen, screenKeeper } from '../session/kept-screen.ts';
import { terminalOutput } from '../session/terminal-output.ts';
import { checkFlag } from '../session/validate.ts';
import { LiveTerminal } from './live-terminal.ts';

/** What is wanted of a screen. */
export interface ScreenOptions {
  /** Also the looks of the text: `cells`, for each row the runs of text that look the same. @default false */
  readonly cells?: boolean;
}

const screenOptionNames: OptionNames<ScreenOptions> = { cells: true };

/**
 * What the terminal of a task shows now, or showed at its end.
 * @throws OutliveError `NO_TERMINAL`, `TASK_NOT_FOUND`, `INVALID_ARGUMENT`.
 */
export async function takeScreen(
  context: SessionContext,
  taskId: string,
  options: ScreenOptions,
): Promise<Screen> {
  const { cells = false } = checkOptions('task.screen()', options, screenOptionNames);
  checkFlag('cells', cells);
  return await lookAtScreen(context, taskId, (shown, ended) => shown.screen({ cells, ended }));
}

/**
 * Reads what the terminal of a task shows now, or showed at its end.
 * @throws OutliveError `NO_TERMINAL`, `TASK_NOT_FOUND`.
 */
export async function lookAtScreen<T>(
  context: SessionContext,
  taskId: string,
  look: (shown: LiveScreen, ended: boolean) => T,
): Promise<T> {
  const followed = await followedTerminal(context, taskId);
  if (followed !== null) {
    await followed.settled();
    if (!followed.isOver) return look(followed.screen, false);
  }
  const terminal = terminalOutput(context, taskId);
  const { live, moment } = await openTaskScreen(context, taskId, terminal);
  using shown = live;
  // It has ended before it was followed, and others will ask again.
  if (context.isWatched) (await screenKeeper(context, taskId, terminal, moment)).left(shown);
  return look(shown, terminal.observed.decision.state !== 'live');
}

/** It has ended, is about to, or is somewhere else: then the file has all that there is. */
const notFollowed = expected('INPUT_CLOSED', 'TASK_ELSEWHERE', 'CLOSED', 'TASK_NOT_FOUND');

/** A terminal that is about to be followed, and what has its screen made now. */
interface Opening {
  readonly terminal: Promise<LiveTerminal | null>;
  readonly hasten: () => void;
}

const openings = new WeakMap<SessionContext, Map<string, Opening>>();

/** The terminal of a task that runs, where this process has the session open: followed from now on. Null: it cannot be. */
export async function followedTerminal(
  context: SessionContext,
  taskId: string,
): Promise<LiveTerminal | null> {
  const { observed } = terminalOutput(context, taskId);
  if (!context.isWatched || context.closed || observed.decision.state !== 'live') return null;
  const known = context.terminals.get(taskId);
  if (known instanceof LiveTerminal) return known;
  const { terminal, hasten } = begin(context, taskId);
  hasten();
  const letGo = holdProcess();
  return await terminal.finally(letGo);
}

function begin(context: SessionContext, taskId: string): Opening {
  const here = openings.get(context) ?? new Map<string, Opening>();
  openings.set(context, here);
  const known = here.get(taskId);
  if (known !== undefined) return known;
  let hasten: () => void = () => undefined;
  const when = new Promise<void>((resolve) => {
    hasten = resolve;
  });
  const terminal = open(context, taskId, when).finally(() => here.delete(taskId));
  here.set(taskId, { terminal, hasten });
  return { terminal, hasten };
}

async function open(
  context: SessionContext,
  taskId: string,
  when: Promise<void>,
): Promise<LiveTerminal | null> {
  try {
    const terminal = await LiveTerminal.open(context, taskId, {}, { when });
    if (context.closed || terminal.isOver) {
      terminal[Symbol.dispose]();
      return null;
    }
    context.terminals.set(taskId, terminal);
    return terminal;
  } catch (error) {
    if (!isExpected(error, notFollowed)) throw error;
    return null;
  }
}

/**
 * Follows the terminal of a new task, so that a process answers the queries of its program to the terminal. The process
 * of the session does so as long as it has the session open.
 */
export function followSoon(context: SessionContext, taskId: string): void {
  if (context.isWatched) background(context, 'following a terminal', begin(context, taskId).terminal, taskId);
}
