import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { openStore } from '../../src/index.ts';
import { nodeKeepers, orphanTask, sentinels, untilKept } from '../support/keepers.ts';
import { notOnWindows } from '../support/not-on-windows.ts';
import { World, waitFor } from '../support/world.ts';

test('when the last task has ended the keeper ends, and leaves no process and no file', async () => {
  await using world = new World();
  await orphanTask(world, `until [ -e ${world.base}/go ]; do sleep 0.05; done`);
  await untilKept(world);
  // On Windows it leaves its mark itself.
  await waitFor(() => world.files().filter((path) => path.startsWith('/keeper-')).length === 1, 'the mark');
  writeFileSync(`${world.base}/go`, '');
  await waitFor(() => world.keepers().length === 0, 'the keeper to end');
  assert.deepEqual(
    world.files().filter((path) => path.includes('keeper')),
    [],
  );
});

test(
  'commands that end within a second cause no keeper',
  notOnWindows('the sentinel of Windows starts the keeper without looking first'),
  async () => {
    await using world = new World();
    // On a busy machine they may take longer: then a keeper is right, and it is tried again.
    const keepers: number[] = [];
    do {
      const store = await openStore({ dir: world.dir });
      const session = await store.session('test');
      await session.spawn('sleep 0.1');
      await session.spawn('true');
      await store.close();
      let most = 0;
      await waitFor(() => {
        most = Math.max(most, nodeKeepers(world).length);
        return world.keepers().length === 0;
      }, 'the sentinel to end');
      keepers.push(most);
    } while (keepers.at(-1) !== 0 && keepers.length < 5);
    assert.equal(keepers.at(-1), 0, `${keepers}`);
  },
);

test('a store that is closed with no task running leaves not even its sentinel', async () => {
  await using world = new World();
  const tookMs: number[] = [];
  // It does not wait the second that it would if there were something to wait for: not always, on a busy machine.
  while (tookMs.length < 5 && !tookMs.some((ms) => ms < 900)) {
    const store = await openStore({ dir: world.dir });
    const session = await store.session('test');
    await session.run('true');
    await waitFor(() => sentinels(world).length === 1, 'the sentinel');
    const begin = performance.now();
    await store.close();
    await waitFor(() => world.keepers().length === 0, 'the sentinel to end');
    tookMs.push(performance.now() - begin);
  }
  assert.ok(Math.min(...tookMs) < 900, `${tookMs}`);
});

test(
  'of fifty spawners that are gone at once one keeper stays',
  notOnWindows('the sentinel of Windows starts the keeper without looking first'),
  async (t) => {
    await using world = new World();
    const go = `${world.base}/go`;
    const spawners = Array.from({ length: 50 }, async (_, n) => {
      const store = await openStore({ dir: world.dir });
      const session = await store.session(`session ${n % 5}`);
      await session.spawn(`until [ -e ${go} ]; do sleep 0.2; done`);
      return store;
    });
    const stores = await Promise.all(spawners);
    await waitFor(() => sentinels(world).length === 50, 'fifty sentinels');
    await Promise.all(stores.map((store) => store.close()));
    const seen = new Set<number>();
    await waitFor(() => {
      for (const pid of nodeKeepers(world)) seen.add(pid);
      return seen.size > 0 && world.keepers().length === 2;
    }, 'one sentinel with its keeper');
    t.diagnostic(`${seen.size} keepers were started`);
    assert.ok(seen.size <= 5, `${seen.size} keepers were started`);
    assert.equal(nodeKeepers(world).length, 1);
    writeFileSync(go, '');
  },
);
