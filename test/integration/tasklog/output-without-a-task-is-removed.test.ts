import assert from 'node:assert/strict';
import { existsSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { letRetentionBeDue } from '../../support/retention.ts';
import { World, waitFor } from '../../support/world.ts';

test('old outputs that a dead spawner left without a log are removed, and no others', async () => {
  await using world = new World();
  const session = await world.session();
  const { task, snapshot } = await session.run('echo kept');
  await session.close();
  const folder = dirname(snapshot.output.path);
  const [young, old] = ['bgb-000000010000.out', 'bgb-000000020000.err'].map((name) => join(folder, name));
  for (const path of [young, old]) writeFileSync(path ?? '', '');
  const longAgo = Date.now() / 1_000 - 120;
  for (const path of [old ?? '', snapshot.output.path]) utimesSync(path, longAgo, longAgo);
  letRetentionBeDue(world.dir);
  const again = await world.session();
  await waitFor(() => !existsSync(old ?? ''), 'the old one to go');
  assert.equal(existsSync(young ?? ''), true);
  assert.equal((await again.task(task.id).tail()).text, 'kept\n');
});

test('an old, half-written screen is removed, even if its task still exists', async () => {
  await using world = new World();
  const session = await world.session();
  const { snapshot } = await session.run('echo kept');
  await session.close();
  const { path } = snapshot.output;
  const [young, old, whole] = [
    `${path}.screen.0123456789ab.tmp`,
    `${path}.screen.ba9876543210.tmp`,
    `${path}.screen`,
  ];
  const longAgo = Date.now() / 1_000 - 120;
  for (const file of [young, old, whole]) writeFileSync(file, '');
  for (const file of [old, whole]) utimesSync(file, longAgo, longAgo);
  letRetentionBeDue(world.dir);
  await world.session();
  await waitFor(() => !existsSync(old), 'the old one to go');
  assert.deepEqual([existsSync(young), existsSync(whole)], [true, true]);
  rmSync(young);
});
