import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { TriedOrphans } from '../../../src/engine/spawn/orphans.ts';
import { linux } from '../../../src/platform/linux/linux.ts';
import type { System } from '../../../src/platform/system.ts';
import { waitFor } from '../../support/world.ts';

/** A system on which whoever is looked at is a zombie, until the test has it reaped. */
function zombies(): { readonly system: System; reaped: boolean; looks: number } {
  const state = {
    reaped: false,
    looks: 0,
    system: {
      ...linux,
      view: (pid: number) => {
        state.looks += 1;
        const seen = linux.view(process.pid);
        return state.reaped || seen === null ? null : { ...seen, pid, start: 1, zombie: true };
      },
    },
  };
  return state;
}

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'outlive-orphans-'));
  t.after(() => rmSync(dir, { recursive: true }));
  return dir;
}

test('if pid 1 begins to reap late, shims are children of their spawner until then, and orphans after that', async (t) => {
  const state = zombies();
  const orphans = new TriedOrphans(folder(t), state.system);
  orphans.find();
  assert.equal(orphans.areReaped, null);
  await waitFor(() => orphans.areReaped === false, 'the patience to end');
  assert.equal(orphans.staysChild(), true);
  state.reaped = true;
  await waitFor(() => orphans.areReaped === true, 'the orphan to be seen gone');
  assert.equal(orphans.staysChild(), false);
});

test('until it is known whether pid 1 reaps, all shims are orphans', (t) => {
  const orphans = new TriedOrphans(folder(t), linux);
  assert.deepEqual(
    Array.from({ length: 12 }, () => orphans.staysChild()),
    Array(12).fill(false),
  );
});

test('if pid 1 reaps orphans at once, that is known long before the time limit', async (t) => {
  const state = zombies();
  state.reaped = true;
  const orphans = new TriedOrphans(folder(t), state.system);
  orphans.find();
  await waitFor(() => orphans.areReaped === true, 'the answer');
  assert.equal(state.looks, 2);
  assert.equal(orphans.staysChild(), false);
});

test('if the test with an orphan fails, the next shim tries again', async (t) => {
  const state = zombies();
  state.reaped = true;
  let failures = 0;
  const view: System['view'] = (pid) => {
    failures += 1;
    if (failures === 1) throw new Error('no process');
    return state.system.view(pid);
  };
  const orphans = new TriedOrphans(folder(t), { ...state.system, view });
  orphans.find();
  await waitFor(() => failures === 1, 'the failure');
  assert.equal(orphans.areReaped, null);
  await waitFor(() => {
    orphans.staysChild();
    return orphans.areReaped === true;
  }, 'another try');
});
