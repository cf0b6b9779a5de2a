import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openStore } from '../../../src/index.ts';
import { listing } from '../../support/listing.ts';
import { World } from '../../support/world.ts';

const ids = [
  '../../x',
  '/etc/passwd',
  '..',
  '.',
  'x'.repeat(1024),
  'ü€😀'.repeat(100),
  'a\nb\r\tc',
  ' ',
  '\u001b[31mred',
  'CON',
  '~',
  '*',
];

for (const id of ids) {
  test(`a session may be called ${JSON.stringify(id.slice(0, 20))}, and stays inside the store`, async () => {
    await using world = new World();
    const session = await world.session(id);
    assert.equal((await session.run('echo hello')).output.text, 'hello\n');
    assert.equal(session.id, id);
    assert.equal((await session.tasks())[0]?.sessionId, id);
    assert.deepEqual(readdirSync(world.base), ['store']);
    assert.equal(readdirSync(join(world.dir, 'sessions')).length, 1);
    await using later = await openStore({ dir: world.dir });
    assert.deepEqual(later.sessions(), [id]);
    assert.equal((await later.tasks()).length, 1);
  });
}

test('a session id that is empty, over 1024 bytes, contains a NUL or is not text is refused', async () => {
  await using world = new World();
  const store = await world.store();
  const before = listing(world.dir);
  for (const id of ['', 'x'.repeat(1025), 'ü'.repeat(513), 'a\0b', 7, null, undefined, {}]) {
    await assert.rejects(store.session(id as string), { name: 'OutliveError', code: 'INVALID_ARGUMENT' });
  }
  assert.deepEqual(listing(world.dir), before);
});

test('ids that look the same in a folder name stay distinct', async () => {
  await using world = new World();
  const store = await world.store();
  const alike = ['a/b', 'a-b', 'A B', 'a--b', 'a_b', ' a b '];
  for (const id of alike) await (await store.session(id)).run(`echo ${JSON.stringify(id)}`);
  assert.deepEqual(store.sessions(), [...alike].sort());
  for (const id of alike) {
    const tasks = await (await store.session(id)).tasks();
    assert.deepEqual(
      tasks.map((task) => task.output.preview),
      [`${id}\n`],
    );
  }
});
