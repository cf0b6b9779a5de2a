import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { openStore } from '../../src/index.ts';
import { nodeKeepers, sentinels } from '../support/keepers.ts';
import { shimShells, withoutProc } from '../support/shim-shells.ts';
import { World, waitFor } from '../support/world.ts';

for (const [name, shimShell] of Object.entries(shimShells)) {
  test(`under ${name} the sentinel starts a keeper, and ends with it`, async () => {
    await using world = new World();
    const go = `${world.base}/go`;
    for (const shell of [shimShell, withoutProc(shimShell)]) {
      const before = sentinels(world);
      await using store = await openStore({ dir: world.dir, shimShell: shell });
      await (await store.session('test')).spawn(`until [ -e ${go} ]; do sleep 0.1; done`);
      await waitFor(() => sentinels(world).some((pid) => !before.includes(pid)), 'the sentinel');
    }
    await waitFor(() => nodeKeepers(world).length === 1 && sentinels(world).length === 1, 'the keeper');
    writeFileSync(go, '');
    await waitFor(() => world.keepers().length === 0, 'the keeper to end');
    assert.deepEqual(
      world.files().filter((path) => path.includes('keeper')),
      [],
    );
    const statuses = (await (await world.store()).tasks()).map(({ status }) => status);
    assert.deepEqual(statuses, ['completed', 'completed']);
  });
}
