import { appendFileSync, closeSync, openSync, readSync, watch } from 'node:fs';
import type { Ground } from '../ground.ts';
import { median, must, p95, pause, takeTurns } from '../measure.ts';
import { judge, type Row, under } from '../row.ts';

/** So that the waiter has looked at everything, and waits, when the line comes. */
const settleMs = 5;

/** From the write of a line to whoever waits for it with `task.waitFor`, beside a bare watch of a file. */
export async function lineToWaiter(ground: Ground): Promise<Row[]> {
  const session = await ground.session('bench');
  const task = await session.spawn('exec sleep 3600');
  const { path } = task.snapshot().output;
  // The output that was there before is not searched again and again.
  let from = 0;
  const ours = (pattern: string | RegExp) => async (): Promise<number> => {
    const woken = task.waitFor({ pattern, from });
    await pause(settleMs);
    const begin = performance.now();
    appendFileSync(path, 'ready on port 8080\n');
    const { match } = await must('the line', woken);
    const taken = performance.now() - begin;
    from = match?.nextOffset ?? 0;
    return taken;
  };
  const file = ground.newFile();
  appendFileSync(file, '');
  const subjects = {
    text: ours('ready on'),
    regexp: ours(/ready on port (\d+)/),
    bare: () => bareWatch(file),
  };
  const samples = await takeTurns(200, subjects, 20);
  const row = (what: string, own: readonly number[]): Row =>
    judge(
      {
        what,
        unit: 'ms',
        measured: median(own),
        p95: p95(own),
        beside: 'bare `fs.watch` of a file, then a read',
        besideMeasured: median(samples.bare),
      },
      under(5, 'under 5 ms'),
    );
  return [
    row('write of a line to a woken `waitFor` for a text', samples.text),
    row('the same, for a regular expression', samples.regexp),
  ];
}

async function bareWatch(file: string): Promise<number> {
  let woken: () => void = () => undefined;
  const coming = new Promise<void>((resolve) => {
    woken = resolve;
  });
  const watcher = watch(file, () => woken());
  await pause(settleMs);
  const begin = performance.now();
  appendFileSync(file, 'ready on port 8080\n');
  await must('the event', coming);
  const descriptor = openSync(file, 'r');
  readSync(descriptor, Buffer.allocUnsafe(64 * 1024), 0, 64 * 1024, 0);
  closeSync(descriptor);
  const taken = performance.now() - begin;
  watcher.close();
  return taken;
}
