import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Task } from '../../src/index.ts';
import { hasFact } from '../support/logs.ts';
import { shimShells } from '../support/shim-shells.ts';
import { fixturePath, isLive, World, waitFor } from '../support/world.ts';

for (const [name, shimShell] of Object.entries(shimShells)) {
  test(`under ${name} a shim that cannot start its command says that it never ran, and leaves nothing`, async () => {
    await using world = new World();
    // With room for the shim alone; and with a timer for which there is room, and for which there is none.
    for (const [processes, timeoutMs] of [
      [1, null],
      [1, 60_000],
      [2, 60_000],
    ] as const) {
      const shell = ['sh', fixturePath('forks-little.sh'), String(processes), ...shimShell] as const;
      const session = await world.session('test', { store: { shimShell: shell } });
      const task = await session.spawn('echo ran; exit 3', { timeoutMs });
      await hurry(task);
      const snapshot = await task.wait();
      const { status, statusReason, exitCode, killSignal, startedAt, leftovers } = snapshot;
      assert.deepEqual(
        [status, statusReason, exitCode, killSignal, startedAt, leftovers],
        ['failed', 'spawn_aborted', null, null, null, []],
      );
      assert.equal((await task.tail()).text, '');
      assert.ok(!hasFact(world.logOf(task.id), 'started'));
      await waitFor(() => world.pidsOf(task.id).length === 0, 'the timer to be gone');
    }
  });
}

/** bash and mksh try again, for up to half a minute. A signal, which the shim traps, cuts their sleep short. */
async function hurry(task: Task): Promise<void> {
  const { pid } = task.snapshot();
  assert.ok(pid !== null);
  await waitFor(() => {
    if (isLive(pid) && handlesSignals(pid)) process.kill(pid, 'SIGUSR1');
    return !isLive(pid);
  }, 'the shim to give up');
}

/** Whether a process has set traps, by its mask of SIGUSR1. */
function handlesSignals(pid: number): boolean {
  try {
    const mask = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
    return (BigInt(`0x${mask ?? 0}`) & (1n << 9n)) !== 0n;
  } catch {
    return false;
  }
}
