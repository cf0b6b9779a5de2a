import type { Ground } from '../ground.ts';
import { Helper } from '../helper.ts';
import { pause } from '../measure.ts';
import { judge, type Row, under } from '../row.ts';
import { makeThousandTasks, thousand } from '../thousand-tasks.ts';

/** Two of the looks at the whole store, one of which comes each half a minute. */
const windowMs = 60_000;
/** Before that Node compiles what has run often, and goes through its heap three times. */
const settleMs = 60_000;

/** `store.watch()` on 1,000 tasks in 50 sessions, a tenth of which run, while nothing happens. */
export async function watchOfStore(ground: Ground): Promise<Row[]> {
  await makeThousandTasks(ground);
  const viewer = new Helper('viewer', ground.storeDir);
  const { tasks } = await viewer.ask('start');
  if (tasks !== thousand) throw new Error(`expected all tasks; found ${tasks}`);
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
