import { taskPaths } from '../../tasklog/paths.ts';
import type { CheckpointWriter } from '../../terminal/checkpoint-file.ts';
import type { LiveScreen, Moment } from '../../terminal/live-screen.ts';
import type { SessionContext } from './context.ts';
import { type TaskTerminal, terminalOutput } from './terminal-output.ts';

/** A screen, and whether all output that makes it was there. */
interface OpenedScreen {
  readonly live: LiveScreen;
  readonly whole: boolean;
  /** The screen that was kept, from which this one goes on. */
  readonly moment: Moment | null;
}

/**
 * A screen of all that a task has written to its terminal until now. It goes on from the screen that was kept, where one was.
 * @param answer as in {@link LiveScreen.open}.
 */
export async function openTaskScreen(
  context: SessionContext,
  taskId: string,
  { output, observed }: TaskTerminal,
  answer?: (text: string) => void,
): Promise<OpenedScreen> {
  const { readCheckpoint } = await import('../../terminal/checkpoint-file.ts');
  const { openScreen } = await import('../../terminal/open-screen.ts');
  const owner = observed.facts.spec?.cookie ?? '';
  const moment = await readCheckpoint(taskPaths(context.paths, taskId).screen, owner, output);
  return { ...(await openScreen(output, moment, answer)), moment };
}

/** What keeps the screen of a task in its file. */
export async function screenKeeper(
  context: SessionContext,
  taskId: string,
  { observed }: Pick<TaskTerminal, 'observed'>,
  moment: Moment | null,
): Promise<CheckpointWriter> {
  const { CheckpointWriter: Writer } = await import('../../terminal/checkpoint-file.ts');
  const owner = observed.facts.spec?.cookie ?? '';
  return new Writer(taskPaths(context.paths, taskId).screen, owner, moment?.offset ?? 0);
}

/** Keeps the last screen of a task whose output is about to be cut. A task without a terminal has none. */
export async function keepLastScreen(context: SessionContext, taskId: string): Promise<void> {
  const terminal = terminalOutput(context, taskId);
  const { live, moment } = await openTaskScreen(context, taskId, terminal);
  using screen = live;
  (await screenKeeper(context, taskId, terminal, moment)).save(screen);
}
