import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openStore } from '../../../src/index.ts';
import { World } from '../../support/world.ts';

test('names and labels are kept as given, also for a process that opens the store later', async () => {
  await using world = new World();
  const session = await world.session();
  const name = 'build "ü" \n\t 😀 </script>';
  const labels = { 'a key': 'a value', __proto__x: '', ключ: '\u2028"\\\n', x: 'y'.repeat(1024) };
  const task = await session.spawn('true', { name, labels });
  assert.equal(task.snapshot().name, name);
  assert.deepEqual(task.snapshot().labels, labels);
  await task.wait();
  await using later = await openStore({ dir: world.dir });
  assert.equal(later.task(task.id).snapshot().name, name);
  assert.deepEqual(later.task(task.id).snapshot().labels, labels);
});

test('names and labels are optional, and successive tasks may have the same', async () => {
  await using world = new World();
  const session = await world.session();
  const plain = await session.spawn('true');
  const twins = [];
  for (let count = 0; count < 2; count += 1) {
    const twin = await session.spawn('true', { name: 'twin' });
    await twin.wait();
    twins.push(twin);
  }
  assert.equal(plain.snapshot().name, null);
  assert.deepEqual(plain.snapshot().labels, {});
  assert.equal(new Set(twins.map((twin) => twin.id)).size, 2);
  await plain.wait();
});
