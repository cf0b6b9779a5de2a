import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { exitOf } from '../bare.ts';
import type { Ground } from '../ground.ts';
import { median, p95, takeTurns, timed } from '../measure.ts';
import { judge, type Row, under } from '../row.ts';

const count = 100;

/** The program that users run, seen from build/bench/rows. */
const program = join(import.meta.dirname, '../../../dist/bin/outlive.cjs');

/** The command line's `ps` on 100 running tasks, as a whole process without a terminal, beside a Node that does nothing. */
export async function psOfTasks(ground: Ground): Promise<Row[]> {
  const session = await ground.session('default', { maxRunning: count });
  for (let i = 0; i < count; i += 1) await session.spawn('exec sleep 1000', { timeoutMs: null });
  const list = [program, 'ps', '--store', ground.storeDir];
  const samples = await takeTurns(15, {
    text: () => whole(list, count),
    json: () => whole([...list, '--json'], count),
    bare: () => whole(['-e', '0'], 0),
  });
  await session.shutdown({ graceMs: 0 });
  const beside = { beside: '`node -e 0`', besideMeasured: median(samples.bare), unit: 'ms' };
  return [
    { what: "the command line's `ps` on 100 running tasks, whole process", of: samples.text },
    { what: 'the same with `--json`, without CPU and memory', of: samples.json },
  ].map(({ what, of }) =>
    judge({ what, measured: median(of), p95: p95(of), ...beside }, under(150, 'under 150 ms')),
  );
}

async function whole(args: readonly string[], lines: number): Promise<number> {
  return await timed(async () => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (more: string) => {
      text += more;
    });
    await exitOf(child);
    const found = text.split('\n').length - 1;
    if (child.exitCode !== 0 || found !== lines) throw new Error(`${args.join(' ')}: ${found} lines`);
  });
}
