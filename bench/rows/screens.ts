import { mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isEnded, type Session, type Task } from '../../src/index.ts';
import { wholeNode } from '../bare.ts';
import type { Ground } from '../ground.ts';
import { median, p95, pause, takeTurns, timed } from '../measure.ts';
import { atMostMore, type Figures, judge, type Row, under } from '../row.ts';

/** The repository's top folder, seen from build/bench/rows. */
const root = join(import.meta.dirname, '../../..');

const tty = { cols: 120, rows: 40 };
const line =
  '\\033[32m2026-11-28 12:00:00\\033[0m \\033[1minfo\\033[0m some line of a log, as servers write it';

/** What a program shows that has written much to its terminal, from its output and from the screen that was kept. */
export async function screensOfOutput(ground: Ground): Promise<Row[]> {
  const session = await ground.session('bench');
  const [small, large] = [await wrote(session, 1), await wrote(session, 100)];
  const fresh = programs(ground);
  const of = (program: string, task: Task) => (): Promise<number> =>
    wholeNode([program, ground.storeDir, task.id]);
  const samples = await takeTurns(20, {
    small: of(fresh.screen, small),
    large: of(fresh.screen, large),
    beside: of(fresh.nothing, small),
    warm: () => timed(() => small.screen()),
  });
  const figures = (
    what: string,
    measured: readonly number[],
  ): Omit<Figures, 'beside' | 'besideMeasured'> => ({
    what,
    unit: 'ms',
    measured: median(measured),
    p95: p95(measured),
  });
  const beside = {
    beside: 'a process that opens the store and finds the task',
    besideMeasured: median(samples.beside),
  };
  const [warm, one, hundred] = [
    figures('screen of 1 MB of output', samples.warm),
    figures('screen of 1 MB of output, whole process', samples.small),
    figures('screen of 100 MB of output, by the screen that was kept, whole process', samples.large),
  ];
  return [
    judge({ ...warm, beside: '', besideMeasured: null }, under(100, 'under 100 ms')),
    judge({ ...one, ...beside }, atMostMore(300, 'ms')),
    judge({ ...hundred, ...beside }, atMostMore(300, 'ms')),
  ];
}

/** Spawns a task that writes some megabytes to its terminal. The screen of a large one is kept. */
async function wrote(session: Session, megabytes: number): Promise<Task> {
  const command = `yes "$(printf '${line}')" | head -c ${megabytes}000000`;
  const task = await session.spawn(command, { tty, keepOutputBytes: null, maxOutputBytes: null });
  const { status, output } = await task.wait();
  if (!isEnded(status) || output.bytes < megabytes * 1e6)
    throw new Error(`expected ${megabytes} MB of output; found ${output.bytes} bytes`);
  await task.screen();
  const isKept = (): boolean => statSync(`${output.path}.screen`, { throwIfNoEntry: false }) !== undefined;
  while (megabytes > 1 && !isKept()) await pause(20);
  return task;
}

/** Programs that use the package as its users do: one shows a screen, one only finds the task. */
function programs(ground: Ground): { readonly screen: string; readonly nothing: string } {
  const folder = ground.newFolder();
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(root, join(folder, 'node_modules', 'outlive'));
  const write = (name: string, use: string): string => {
    const path = join(folder, name);
    const lines = [
      "import { openStore } from 'outlive';",
      'const store = await openStore({ dir: process.argv[2], readOnly: true });',
      'const task = await store.task(process.argv[3]);',
      use,
      'await store.close();',
    ];
    writeFileSync(path, lines.join('\n'));
    return path;
  };
  return {
    screen: write('screen.mjs', "if (!(await task.screen()).lines[0]?.includes('info')) process.exit(1);"),
    nothing: write('nothing.mjs', 'if (!task) process.exit(1);'),
  };
}
