import { isEnded, openStore } from '../../src/index.ts';
import { cast, countHistory, hasHistory, refusal } from './cast.ts';
import type { Claims } from './claims.ts';

/** Checks what the records on disk say at the end, in a process that took no part; `historyBefore` is the length of the history before it began. */
export async function checkRecords(
  dir: string,
  yours: string,
  historyBefore: string,
  claims: Claims,
): Promise<void> {
  await using store = await openStore({ dir });
  const tasks = new Map((await store.tasks()).map((task) => [task.name, task]));
  for (const { name, ending } of cast(yours)) {
    const { status = 'lost', exitCode, delivered } = tasks.get(name) ?? {};
    if (ending !== null) claims.equal(`${name} ended as it had to`, { status, exitCode }, ending);
    else claims.that(`${name} ended, and it is known how`, isEnded(status) && status !== 'lost', status);
    claims.equal(`the completion of ${name} is acknowledged`, delivered, true);
  }
  const stubborn = tasks.get('stubborn');
  claims.equal('stubborn ran out of time', stubborn?.statusReason, 'timeout');
  claims.that('stubborn had its time', (stubborn?.durationMs ?? 0) >= (stubborn?.timeoutMs ?? Infinity));
  claims.that('stubborn refused SIGTERM', stubborn?.output.preview.includes(refusal) === true);
  if (hasHistory()) {
    // Somebody may commit while the scene is played.
    const counted = tasks.get('history')?.output.preview.trim() ?? '';
    const isTrue = [historyBefore, countHistory()].includes(counted);
    claims.that('the history is as long as git says', isTrue, counted);
  }
}
