import assert from 'node:assert/strict';
import { existsSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { World } from '../support/world.ts';

test('outputs that a dead spawner left without a log are removed when they are old, and no others', async () => {
  await using world = new World();
  const session = await world.session();
  const { task, snapshot } = await session.run('echo kept');
  await session.close();
  const folder = dirname(snapshot.output.path);
  const [young, old] = ['bgb-00000001.out', 'bgb-00000002.err'].map((name) => join(folder, name));
  for (const path of [young, old]) writeFileSync(path ?? '', '');
  const longAgo = Date.now() / 1_000 - 120;
  for (const path of [old ?? '', snapshot.output.path]) utimesSync(path, longAgo, longAgo);
  const again = await world.session();
  assert.deepEqual([existsSync(young ?? ''), existsSync(old ?? '')], [true, false]);
  assert.equal((await again.task(task.id).tail()).text, 'kept\n');
});
