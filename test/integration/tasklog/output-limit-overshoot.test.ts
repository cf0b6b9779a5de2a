import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { notOnWindows } from '../../support/not-on-windows.ts';
import { onWindows } from '../../support/processes.ts';
import { World, waitFor } from '../../support/world.ts';

const mebi = 1024 ** 2;

// Paced to less than 20 MB/s, so that the test measures the looks and not the disk.
const paced = (megabytes: number): string =>
  `for i in $(seq ${megabytes}); do head -c 1000000 /dev/zero; sleep 0.05; done`;

test(
  'a writer is stopped before it exceeds its limit by a tenth',
  notOnWindows('floods as fast as a disk, which git-bash under Wine does not reach'),
  async (t) => {
    await using world = new World();
    const session = await world.session();
    const task = await session.spawn(`${paced(60)}; sleep 1000`, { maxOutputBytes: 20 * mebi, graceMs: 100 });
    const { output, statusReason } = await task.wait({ timeoutMs: 15_000 });
    assert.equal(statusReason, 'output_limit');
    t.diagnostic(`${((output.bytes / (20 * mebi) - 1) * 100).toFixed(1)} % over`);
    assert.ok(output.bytes < 22 * mebi, `wrote ${output.bytes}`);
  },
);

test(
  'a task that goes on writing after the stop signal gets no grace period',
  notOnWindows('no process can be asked to end there'),
  async () => {
    await using world = new World();
    const session = await world.session();
    const command = `trap '' TERM; ${paced(60)}`;
    const options = { maxOutputBytes: 10 * mebi, graceMs: 60_000 };
    const task = await session.spawn(command, options);
    const end = await task.wait({ timeoutMs: 15_000 });
    assert.deepEqual([end.status, end.statusReason], ['killed', 'output_limit']);
    assert.ok(end.output.bytes < 20 * mebi, `wrote ${end.output.bytes}`);
  },
);

test('among many quiet tasks with small limits the one that begins to write is noticed', async (t) => {
  await using world = new World();
  const session = await world.session('test', { maxRunning: 100 });
  const go = `${world.base}/go`;
  const limit = { maxOutputBytes: mebi, graceMs: 100 };
  const quiet = await Promise.all(
    Array.from({ length: onWindows ? 4 : 20 }, () => session.spawn('exec sleep 1000', limit)),
  );
  const command = `until [ -e ${go} ]; do sleep 0.05; done; yes | head -c 4M; sleep 1000`;
  const task = await session.spawn(command, limit);
  // By then quiet tasks are looked at rarely.
  await session.run('sleep 1.5', limit);
  writeFileSync(go, '');
  const { path } = task.snapshot().output;
  await waitFor(() => statSync(path).size > mebi, 'the flood');
  const crossed = performance.now();
  assert.equal((await task.wait({ timeoutMs: 15_000 })).statusReason, 'output_limit');
  t.diagnostic(`stopped ${Math.round(performance.now() - crossed)} ms after it had crossed the limit`);
  for (const { id } of quiet) assert.equal(session.task(id).snapshot().status, 'running');
});
