import type { Ground } from '../ground.ts';
import { Helper } from '../helper.ts';
import { pause } from '../measure.ts';
import { judge, type Row, under } from '../row.ts';

const sessions = 50;
/** In each session: so many that have ended, and so many that run. */
const ended = 18;
const running = 2;
/** Two of the looks at the whole store, one of which comes each half a minute. */
const windowMs = 60_000;
/** Before that Node compiles what has run often, and goes through its heap three times. */
const settleMs = 60_000;

/** `store.watch()` on 1,000 tasks in 50 sessions, a tenth of which run, while nothing happens. */
export async function watchOfStore(ground: Ground): Promise<Row[]> {
  for (let nth = 0; nth < sessions; nth += 1) {
    const session = await ground.session(`session-${nth}`);
    const done = Array.from({ length: ended }, async () => await (await session.spawn('true')).wait());
    await Promise.all(done);
    for (let live = 0; live < running; live += 1) await session.spawn('exec sleep 1000', { timeoutMs: null });
    await session.close();
  }
  const viewer = new Helper('viewer', ground.storeDir);
  const { tasks } = await viewer.ask('start');
  if (tasks !== sessions * (ended + running)) throw new Error(`expected all tasks; found ${tasks}`);
  await pause(settleMs);
  await viewer.ask('cpu');
  const begin = performance.now();
  await pause(windowMs);
  const { ms } = await viewer.ask('cpu');
  const measured = Number(ms) / ((performance.now() - begin) / 100);
  await viewer.kill();
  const what = '`store.watch()` of 1,000 tasks in 50 sessions, 100 of which run: CPU of the viewer';
  const beside = { beside: '', besideMeasured: null, unit: '% of a core' };
  return [judge({ what, measured, ...beside }, under(0.3, 'under 0.3 % of one core'))];
}
