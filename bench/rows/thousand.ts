import { availableParallelism } from 'node:os';
import type { Ground } from '../ground.ts';
import { Helper } from '../helper.ts';
import { median, pause } from '../measure.ts';
import { cpuMs, idleMs, privateKib, taskProcesses } from '../processes.ts';
import { atMost, judge, type Row, under } from '../row.ts';

const count = 1_000;
/** A shim looks at its output each four to five seconds when nothing is written: several looks of each are in here. */
const windowMs = 20_000;
const adoptions = 3;

/**
 * A process with 1,000 quiet tasks beside one with 1,000 quiet bare children, at the same time; then the
 * first one is killed, and others adopt its tasks.
 */
export async function thousandTasks(ground: Ground): Promise<Row[]> {
  if (process.platform !== 'linux') throw new Error('expected Linux: what is counted here is in its /proc');
  const tasks = new Helper('tasks', ground.storeDir, String(count));
  const children = new Helper('children', ground.newFolder(), String(count));
  await tasks.ask('start');
  await children.ask('start');
  await untilCalm();
  const rows = [...(await cpu(tasks, children)), ...(await footprints(tasks, children)), ...shimFootprints()];
  await tasks.kill();
  await children.kill();
  await untilCalm();
  return [...rows, await adoption(ground)];
}

async function cpu(tasks: Helper, children: Helper): Promise<Row[]> {
  const { shims } = taskProcesses();
  if (shims.length !== count) throw new Error(`expected ${count} shims; found ${shims.length}`);
  await Promise.all([tasks.ask('cpu'), children.ask('cpu')]);
  const begin = performance.now();
  const shimsBegin = cpuMs(shims);
  await pause(windowMs);
  const [ours, theirs] = await Promise.all([tasks.ask('cpu'), children.ask('cpu')]);
  const passed = (performance.now() - begin) / 100;
  const shimsShare = (cpuMs(shims) - shimsBegin) / passed;
  const beside = { beside: 'parent of 1,000 bare children', besideMeasured: Number(theirs.ms) / passed };
  const ofShims = {
    what: '1,000 quiet tasks with output limits: CPU of all shims together',
    unit: '% of a core',
    measured: shimsShare,
    ...beside,
  };
  const ofSupervisor = {
    what: '1,000 quiet tasks with output limits: CPU of the supervisor',
    unit: '% of a core',
    measured: Number(ours.ms) / passed,
    ...beside,
  };
  return [ofShims, ofSupervisor].map((figures) => judge(figures, under(0.5, 'under 0.5 % of one core')));
}

async function footprints(tasks: Helper, children: Helper): Promise<Row[]> {
  const [ours, theirs] = [await tasks.ask('footprint'), await children.ask('footprint')];
  const heap = {
    what: '1,000 quiet tasks: heap of the supervisor a task',
    unit: 'KiB',
    measured: Number(ours.heapBytes) / count / 1024,
    beside: 'a bare child',
    besideMeasured: Number(theirs.heapBytes) / count / 1024,
  };
  const descriptors = {
    what: '1,000 quiet tasks: descriptors of the supervisor a task',
    unit: 'descriptors',
    measured: Number(ours.descriptors) / count,
    beside: 'a bare child',
    besideMeasured: Number(theirs.descriptors) / count,
    note: `${Number(ours.descriptors)} for all tasks together`,
  };
  return [judge(heap, under(10, 'under 10 KiB')), judge(descriptors, under(0.01, 'none a task'))];
}

/** What the library adds to each command. */
function shimFootprints(): Row[] {
  const { shims, commands } = taskProcesses();
  const memory = {
    what: '1,000 quiet tasks: private memory of the shim a task',
    unit: 'KiB',
    measured: privateKib(shims) / count,
    beside: 'the command itself (`sleep`)',
    besideMeasured: privateKib(commands) / count,
  };
  const processes = {
    what: '1,000 quiet tasks: processes a task, beside the command',
    unit: 'processes',
    measured: shims.length / count,
    beside: 'a bare child',
    besideMeasured: 0,
  };
  return [judge(memory, atMost(40, 'at most 40 KiB')), judge(processes, atMost(1, 'one'))];
}

async function adoption(ground: Ground): Promise<Row> {
  const ours: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < adoptions; round += 1) {
    const helper = new Helper('adopter', ground.storeDir);
    if (round % 2 === 1) bare.push(Number((await helper.ask('read')).ms));
    ours.push(Number((await helper.ask('adopt')).ms));
    if (round % 2 === 0) bare.push(Number((await helper.ask('read')).ms));
    const running = await helper.ask('running');
    if (running.count !== count) throw new Error(`expected ${count} adopted tasks; found ${running.count}`);
    await helper.kill();
  }
  const figures = {
    what: 'adopting a session of 1,000 running tasks',
    unit: 'ms',
    measured: median(ours),
    beside: 'bare read and JSON.parse of the same logs',
    besideMeasured: median(bare),
  };
  return judge(figures, under(500, 'under 500 ms'));
}

/** Waits for the machine to have nothing to do any more, but not for ever: others may keep it busy. */
async function untilCalm(): Promise<void> {
  for (let looks = 0; looks < 20; looks += 1) {
    const [begin, idle] = [performance.now(), idleMs()];
    await pause(500);
    if (idleMs() - idle > 0.9 * availableParallelism() * (performance.now() - begin)) return;
  }
}
