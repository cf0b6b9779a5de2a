import { appendFileSync, closeSync, fstatSync, openSync, readSync, truncateSync } from 'node:fs';
import type { Ground } from '../ground.ts';
import { median, p95, takeTurns, timed } from '../measure.ts';
import { judge, type Row, under } from '../row.ts';

const logBytes = 10 * 1024 ** 3;
const tailBytes = 64 * 1024;

/** The end of the output of a running task that has written 10 GiB, beside a bare read of the same bytes. */
export async function tailOfLargeLog(ground: Ground): Promise<Row[]> {
  const session = await ground.session('bench');
  const task = await session.spawn('exec sleep 3600', { maxOutputBytes: null, keepOutputBytes: null });
  const { path } = task.snapshot().output;
  // A hole in front, and real lines of 1 KiB for the last 64 MiB.
  const end = 64 * 1024 ** 2;
  truncateSync(path, logBytes - end);
  const line = `${'αβγ progress '.repeat(60).slice(0, 800)}\n`;
  appendFileSync(path, line.repeat(Math.ceil(end / Buffer.byteLength(line))));

  const ours = (): Promise<number> =>
    timed(async () => {
      const { bytes, omittedBytes } = await task.tail({ maxBytes: tailBytes });
      if (bytes.length < tailBytes - 4 || omittedBytes < logBytes - tailBytes)
        throw new Error(`expected the last ${tailBytes} bytes; found ${bytes.length}`);
    });
  const bare = (): Promise<number> =>
    timed(() => {
      const descriptor = openSync(path, 'r');
      const position = fstatSync(descriptor).size - tailBytes;
      readSync(descriptor, Buffer.allocUnsafe(tailBytes), 0, tailBytes, position);
      closeSync(descriptor);
    });
  const samples = await takeTurns(300, { ours, bare }, 30);
  const figures = {
    what: 'tail (64 KiB) of a 10 GiB log, the task running',
    unit: 'ms',
    measured: median(samples.ours),
    p95: p95(samples.ours),
    beside: 'bare open, stat, read, close',
    besideMeasured: median(samples.bare),
  };
  return [judge(figures, under(2, 'under 2 ms'))];
}
