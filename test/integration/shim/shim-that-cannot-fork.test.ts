import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasFact } from '../../support/logs.ts';
import { ShimInPlace, shimAfter } from '../../support/shims.ts';
import { fixturePath, quote, World, waitFor } from '../../support/world.ts';

test('a shim that cannot start its command says that it never ran, and leaves nothing', async () => {
  await using world = new World();
  using _ = new ShimInPlace(shimAfter(world, '', `sh ${quote(fixturePath('forks-little.sh'))} 1`));
  const session = await world.session();
  for (const timeoutMs of [null, 60_000]) {
    const task = await session.spawn('echo ran; exit 3', { timeoutMs });
    const snapshot = await task.wait();
    const { status, statusReason, exitCode, exitSignal, startedAt, leftovers } = snapshot;
    assert.deepEqual(
      [status, statusReason, exitCode, exitSignal, startedAt, leftovers],
      ['failed', 'spawn_aborted', null, null, null, []],
    );
    assert.equal((await task.tail()).text, '');
    assert.ok(!hasFact(world.logOf(task.id), 'started'));
    await waitFor(() => world.pidsOf(task.id).length === 0, 'the shim to be gone');
  }
});
