import { randomBytes } from 'node:crypto';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { encodeFact } from '../../src/tasklog/codec.ts';
import { sessionPaths, taskPaths } from '../../src/tasklog/paths.ts';
import type { Ground } from '../ground.ts';
import { Helper } from '../helper.ts';
import { helperSession } from '../helpers.ts';
import { median } from '../measure.ts';
import { judge, type Row, under } from '../row.ts';

const count = 10_000;
const rounds = 3;

/** Opening a session of 10,000 tasks that have ended, first with every completion pending, then with none. */
export async function adoptEnded(ground: Ground): Promise<Row[]> {
  const logs = await writeEndedTasks(ground);
  const pending = await adoption(ground, 'pending', count);
  const delivered = encodeFact({ fact: 'delivered', id: 'bench', at: Date.now() });
  for (const log of logs) appendFileSync(log, delivered);
  return [pending, await adoption(ground, 'acknowledged', 0)];
}

/** One real task, and its record again and again under other ids. */
async function writeEndedTasks(ground: Ground): Promise<string[]> {
  const session = await ground.session(helperSession);
  const task = await session.spawn('echo hello');
  await task.wait({ ack: false });
  const paths = sessionPaths(ground.storeDir, helperSession);
  const own = taskPaths(paths, task.id);
  await session.close();
  const [log, output] = [readFileSync(own.log, 'utf8'), readFileSync(own.stdout)];
  const logs = [own.log];
  while (logs.length < count) {
    const taskId = `bgb-${randomBytes(6).toString('hex')}`;
    const copy = taskPaths(paths, taskId);
    writeFileSync(copy.log, log.replaceAll(task.id, taskId), { mode: 0o600 });
    writeFileSync(copy.stdout, output, { mode: 0o600 });
    logs.push(copy.log);
  }
  return logs;
}

async function adoption(ground: Ground, state: string, pendingCount: number): Promise<Row> {
  const ours: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const helper = new Helper('adopter', ground.storeDir);
    if (round % 2 === 1) bare.push(Number((await helper.ask('read')).ms));
    ours.push(Number((await helper.ask('adopt')).ms));
    if (round % 2 === 0) bare.push(Number((await helper.ask('read')).ms));
    const pending = await helper.ask('pending');
    if (pending.count !== pendingCount)
      throw new Error(`expected ${pendingCount} pending completions; found ${pending.count}`);
    await helper.kill();
  }
  const figures = {
    what: `adopting a session of 10,000 ended tasks, all ${state}`,
    unit: 'ms',
    measured: median(ours),
    beside: 'bare read and JSON.parse of the same logs',
    besideMeasured: median(bare),
  };
  return judge(figures, under(1_000, 'under 1,000 ms'));
}
