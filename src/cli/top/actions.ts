import type { Store } from '../../api/store.ts';
import { isForeseen } from '../../errors/expected.ts';
import type { TaskSnapshot } from '../../model/snapshot.ts';
import { isEnded } from '../../model/words.ts';
import { inFlags } from '../flags.ts';
import { refuseInSandbox } from '../sandbox.ts';
import { untilStarted } from '../until-started.ts';
import { titleOf } from './view.ts';

/** What somebody does with tasks. */
export interface Action {
  /** What it is called in a question, and while it goes on. */
  readonly verb: string;
  readonly doing: string;
  /** Of which tasks it makes something else. */
  isFor(task: TaskSnapshot): boolean;
  /** Why it is for none of those that were chosen. */
  readonly nothing: string;
  /** What somebody should know before it is done. */
  readonly remark?: string;
  /** Does it to one task; what became of that, in a word or two. */
  perform(store: Store, task: TaskSnapshot): Promise<string>;
}

/** It acknowledges nothing: the owner of the tasks hears of the ends. */
export const stop: Action = {
  verb: 'Stop',
  doing: 'stopping',
  isFor: ({ status, leftovers }) => !isEnded(status) || leftovers.length > 0,
  nothing: 'it has ended, and left nothing running: there is nothing to stop',
  async perform(store, { taskId, status }) {
    const { leftovers, status: now } = await store.task(taskId).kill();
    if (leftovers.length > 0) return `could not be stopped completely: still alive: ${pidsOf(leftovers)}`;
    return isEnded(status) ? 'stopped what it had left' : now;
  },
};

export const restart: Action = {
  verb: 'Restart',
  doing: 'restarting',
  isFor: () => true,
  nothing: 'there is no task to restart',
  async perform(store, { sessionId, taskId }) {
    // What runs outside of the sandbox is not to be stopped for what would end with it.
    refuseInSandbox();
    await using session = await store.session(sessionId);
    const begun = await session.task(taskId).restart({ ack: false });
    await untilStarted(begun);
    return `now ${begun.id}`;
  },
};

export const acknowledge: Action = {
  verb: 'Acknowledge',
  doing: 'acknowledging',
  isFor: ({ status, delivered }) => isEnded(status) && !delivered,
  nothing: 'it has not ended, or its end is already acknowledged',
  remark: 'It is not reported again.',
  async perform(store, { taskId }) {
    return (await store.task(taskId).ack()) ? 'acknowledged' : 'another process had acknowledged it';
  },
};

/** How the tasks are called that an action is for. */
export function calledTogether(tasks: readonly TaskSnapshot[]): string {
  const [first] = tasks;
  return tasks.length === 1 && first !== undefined ? titleOf(first) : `${tasks.length} tasks`;
}

/** Does something to several tasks at once, and says how far it has come, and what became of them. */
export async function performAll(
  store: Store,
  action: Action,
  tasks: readonly TaskSnapshot[],
  say: (message: string) => void,
): Promise<void> {
  let done = 0;
  const told = (): void => say(`${action.doing} ${calledTogether(tasks)}: ${done} of ${tasks.length} done`);
  told();
  const results = await Promise.allSettled(
    tasks.map(async (task) => {
      const result = await action.perform(store, task);
      done += 1;
      told();
      return result;
    }),
  );
  const failures = results.flatMap((result) =>
    result.status === 'rejected' ? [result.reason as unknown] : [],
  );
  const [failure] = failures;
  if (failure === undefined) return say(`${calledTogether(tasks)}: ${summed(results.map(resultOf))}`);
  // A mistake in the program is nothing to go on after.
  const mistake = failures.find((error) => !isForeseen(error));
  if (mistake !== undefined) throw mistake;
  const others = tasks.length === 1 ? '' : `${failures.length} of ${tasks.length} failed: `;
  say(`${others}${messageOf(failure)}`);
}

/** What an error says to those who look at a screen. */
export function messageOf(error: unknown): string {
  return inFlags((error instanceof Error ? error.message : String(error)).replace(/\s*\n\s*/g, ' '));
}

function resultOf(result: PromiseSettledResult<string>): string {
  return result.status === 'fulfilled' ? result.value : '';
}

/** The same results are counted. */
function summed(results: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const result of results) counts.set(result, (counts.get(result) ?? 0) + 1);
  const parts = [...counts].map(([result, count]) => (results.length === 1 ? result : `${count} ${result}`));
  const shown = parts.slice(0, 3).join(', ');
  return parts.length > 3 ? `${shown} and others` : shown;
}

function pidsOf(leftovers: readonly { readonly pid: number }[]): string {
  return leftovers.map(({ pid }) => pid).join(', ');
}
