import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { diagnose, openStore, type StoreOptions } from '../../../src/index.ts';
import { sessionPaths } from '../../../src/tasklog/paths.ts';
import { Agent } from '../../support/agents.ts';
import { listing } from '../../support/listing.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';
import { World } from '../../support/world.ts';

async function refused(world: World, content: string, code: string, message = /expected/): Promise<void> {
  mkdirSync(world.dir, { recursive: true });
  writeFileSync(join(world.dir, 'store.json'), content);
  const before = listing(world.base);
  await assert.rejects(openStore({ dir: world.dir }), { name: 'OutliveError', code, message });
  assert.deepEqual(listing(world.base), before);
}

test('a store of a newer version is refused and not changed', async () => {
  await using world = new World();
  const message = /^expected \S+store\.json to say version 2; found version 3\. .*upgrade outlive/;
  await refused(world, '{"outlive":"store","version":3}\n', 'STORE_VERSION', message);
  await refused(world, '{"outlive":"store","version":1e9,"new":true}\n', 'STORE_VERSION');
});

test('a store of version 1 is refused with one line, by every way to open or read it, and not changed', async () => {
  await using world = new World();
  const [record, sessions] = ['{"outlive":"store","version":1}\n', join(world.dir, 'sessions')];
  // All that a store that is opened is tidied up by: modes, strays, a task that has ended and nobody has settled.
  const { tasks, output, record: ofSession } = sessionPaths(world.dir, 'old');
  for (const dir of [tasks, output, join(world.dir, 'bin')]) mkdirSync(dir, { recursive: true });
  writeFileSync(join(world.dir, 'store.json'), record);
  writeFileSync(ofSession, '{"outlive":"session","version":1,"sessionId":"old","createdAt":1}\n');
  writeFileSync(join(tasks, 'bgb-0123abcd0123.jsonl'), '\n{"fact":"spec","v":1,"command":"true"}\n');
  writeFileSync(join(output, 'bgb-0123abcd0123.out'), 'text');
  writeFileSync(join(tasks, 'bgb-000000000000.removed'), '');
  for (const path of [sessions, world.dir]) chmodSync(path, 0o755);
  const message =
    /^expected \S+store\.json to say version 2; found version 1\. [^\n]*move the folder away, or name another one, [^\n]*$/;
  await refused(world, record, 'STORE_VERSION', message);
  // The doctor tries whether the folder can be written, and leaves what is in it alone.
  const before = listing(sessions);
  const { findings } = await diagnose({ dir: world.dir });
  assert.match(JSON.stringify(findings), /found version 1\b.*move the folder away/);
  assert.deepEqual(listing(sessions), before);
});

for (const content of ['garbage', '{}', '[]', '{"outlive":"store"}', '{"outlive":"store","version":']) {
  test(`a store.json with ${JSON.stringify(content)} is refused and not changed`, async () => {
    await using world = new World();
    await refused(world, content, 'STORE_CORRUPT');
  });
}

test('a store.json that a power failure left empty is written again', async () => {
  await using world = new World();
  await (await world.store()).close();
  writeFileSync(join(world.dir, 'store.json'), '');
  await (await world.store()).close();
  assert.match(readFileSync(join(world.dir, 'store.json'), 'utf8'), /"version":2/);
});

test('a store.json with unknown fields is accepted and kept', async () => {
  await using world = new World();
  await (await world.store()).close();
  writeFileSync(join(world.dir, 'store.json'), '{"outlive":"store","version":2,"color":"blue"}');
  const before = listing(world.dir);
  await (await world.store()).close();
  assert.deepEqual(listing(world.dir), before);
});

test('a folder with other content is refused, and not changed', async () => {
  await using world = new World();
  mkdirSync(world.dir, { mode: 0o755 });
  writeFileSync(join(world.dir, 'thesis.txt'), 'chapter 1');
  const before = listing(world.base);
  await assert.rejects(openStore({ dir: world.dir }), { code: 'STORE_UNSAFE', message: /thesis\.txt/ });
  assert.deepEqual(listing(world.base), before);
});

test('a file in the place of the store is refused', async () => {
  await using world = new World();
  writeFileSync(world.dir, 'x');
  await assert.rejects(openStore({ dir: world.dir }), { code: 'STORE_UNSAFE' });
});

test(
  'a store behind a symbolic link is the store that it leads to',
  notOnWindows('links need a privilege'),
  async () => {
    await using world = new World();
    const store = await world.store();
    const link = join(world.base, 'link');
    symlinkSync(world.dir, link);
    await using linked = await openStore({ dir: link });
    assert.equal(linked.dir, store.dir);
  },
);

test(
  'the store of another user is refused, and so is a folder without write permission',
  notOnWindows('setpriv makes another user'),
  async () => {
    await using world = new World();
    await (await world.store()).close();
    const own = join(world.base, 'own');
    mkdirSync(own);
    const nobody = 65_534;
    chownSync(own, nobody, nobody);
    chmodSync(world.base, 0o755);
    await using agent = await Agent.start(own, {
      before: ['setpriv', `--reuid=${nobody}`, '--clear-groups'],
    });
    const codeOf = (dir: string) =>
      agent.run(async ({ openStore: open }, path: string) => {
        return await open({ dir: path }).then(
          () => 'opened',
          (error) => String(error.code),
        );
      }, dir);
    assert.equal(await codeOf(world.dir), 'STORE_UNSAFE');
    assert.equal(await codeOf(join(world.base, 'new')), 'STORE_UNWRITABLE');
    assert.equal(await codeOf(join(own, 'new', 'below')), 'opened');
  },
);

test('invalid options of a store are refused before anything is made', async () => {
  await using world = new World();
  const wrong: unknown[] = [{ dir: '' }, { dir: 'a\0b' }, { dir: 7 }, { elsewhere: 'maybe' }];
  for (const options of wrong) {
    const all = { dir: world.dir, ...(options as StoreOptions) };
    await assert.rejects(openStore(all), { code: 'INVALID_ARGUMENT' });
  }
  assert.deepEqual(listing(world.base), []);
});
