import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { test } from 'node:test';
import { listing } from '../../support/listing.ts';
import { World, waitFor } from '../../support/world.ts';

test('only the owner can enter a folder of the store or read a file in it, whatever the umask', async () => {
  await using world = new World();
  const before = process.umask(0);
  try {
    const session = await world.session();
    await session.run('echo hello', { separate: true });
    await session.run(`true #${'x'.repeat(100_000)}`);
    const cut = await session.run('seq 1 10000', { keepOutputBytes: 1000 });
    await waitFor(() => statSync(cut.snapshot.output.path).size < 2000, 'the cut');
  } finally {
    process.umask(before);
  }
  assert.equal((statSync(world.dir).mode & 0o7777).toString(8), '700');
  const entries = listing(world.dir);
  assert.ok(entries.length > 10);
  for (const { path, isFolder, mode } of entries) assert.equal(mode, isFolder ? '700' : '600', path);
});

test('the umask of a command is the user’s', async () => {
  await using world = new World();
  const session = await world.session();
  const before = process.umask(0o027);
  try {
    assert.equal((await session.run('umask')).output.text, '0027\n');
  } finally {
    process.umask(before);
  }
});

test('a store that others can read is closed to them, and so is an empty folder that becomes a store', async () => {
  await using world = new World();
  mkdirSync(world.dir, { mode: 0o755 });
  chmodSync(world.dir, 0o755);
  await (await world.store()).close();
  assert.equal(statSync(world.dir).mode & 0o777, 0o700);
  chmodSync(world.dir, 0o775);
  await world.store();
  assert.equal(statSync(world.dir).mode & 0o777, 0o700);
});
