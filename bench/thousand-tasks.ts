import type { Ground } from './ground.ts';

/** The sessions of the store. */
const sessions = 50;
/** In each session: so many tasks that have ended, and so many that run. */
const ended = 18;
const running = 2;

/** Tasks in the store that {@link makeThousandTasks} makes. */
export const thousand = sessions * (ended + running);

/** Makes a store of 1,000 tasks in 50 sessions, a tenth of which run. No process has the sessions open afterwards. */
export async function makeThousandTasks(ground: Ground): Promise<void> {
  for (let nth = 0; nth < sessions; nth += 1) {
    const session = await ground.session(`session-${nth}`);
    const done = Array.from({ length: ended }, async () => await (await session.spawn('true')).wait());
    await Promise.all(done);
    for (let live = 0; live < running; live += 1) await session.spawn('exec sleep 1000', { timeoutMs: null });
    await session.close();
  }
}
