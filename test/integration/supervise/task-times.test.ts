import assert from 'node:assert/strict';
import { test } from 'node:test';
import { factOf } from '../../support/logs.ts';
import { onWindows } from '../../support/processes.ts';
import { World } from '../../support/world.ts';

test('a task starts after its spawn, ends after its start, and never in the future', async () => {
  await using world = new World();
  const session = await world.session();
  // Many tasks, so that every remainder of the clocks occurs.
  for (let round = 0; round < (onWindows ? 6 : 30); round += 1) {
    const asked = Date.now();
    const begun = performance.now();
    const { task, snapshot } = await session.run('true', { shell: 'sh' });
    const tookMs = performance.now() - begun;
    const { createdAt, startedAt, endedAt, durationMs } = snapshot;
    const times = [asked, createdAt, startedAt ?? Number.NaN, endedAt ?? Number.NaN, Date.now()];
    assert.deepEqual(
      times,
      [...times].sort((a, b) => a - b),
    );
    // By the clock that nobody sets: two readings of two clocks would differ by the pause between them.
    const log = world.logOf(task.id);
    const ranMs = (factOf(log, 'exit').monoMs ?? Number.NaN) - (factOf(log, 'started').monoMs ?? Number.NaN);
    assert.equal(durationMs, ranMs);
    assert.ok(ranMs >= 0 && ranMs <= tookMs + 1, `${ranMs} ms of ${tookMs} ms`);
  }
});

test('a duration is the running time of the command, and CPU time is that of it and its children', async () => {
  await using world = new World();
  const session = await world.session();
  const slept = await session.run('sleep 0.3');
  assert.ok((slept.snapshot.durationMs ?? 0) >= (onWindows ? 280 : 300), `${slept.snapshot.durationMs}`);
  const busy = await session.run('sh -c "i=0; while [ \\$i -lt 300000 ]; do i=\\$((i + 1)); done"; exit 1');
  if (onWindows) {
    // Its shim does not know.
    assert.deepEqual([slept.snapshot.cpuMs, busy.snapshot.cpuMs], [null, null]);
    return;
  }
  assert.ok((busy.snapshot.cpuMs ?? 0) >= 20, `${busy.snapshot.cpuMs}`);
  assert.ok((slept.snapshot.cpuMs ?? 0) < (busy.snapshot.cpuMs ?? 0));
});
