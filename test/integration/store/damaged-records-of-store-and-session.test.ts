import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { bounds, diagnose, openStore } from '../../../src/index.ts';
import { keepCopy } from '../../../src/shim/store-copy.ts';
import { programsFolder } from '../../../src/tasklog/paths.ts';
import { readExitMark } from '../../../src/tasklog/windows-files.ts';
import { crypto } from '../../../src/util/crypto.ts';
import { costOf } from '../../support/counted.ts';
import { onWindows } from '../../support/processes.ts';
import { letRetentionBeDue } from '../../support/retention.ts';
import { World } from '../../support/world.ts';

const isRoot = process.geteuid?.() === 0;

/** What may stand in the place of a small file. */
const strange: Readonly<Record<string, (path: string) => void>> = {
  'a pipe': (path) => void execFileSync('mkfifo', [path]),
  'a folder': (path) => void mkdirSync(path),
  'a link to a file of somebody else': (path) => symlinkSync('/etc/hostname', path),
  'a link to itself': (path) => symlinkSync(path, path),
  'a device': (path) => void execFileSync('mknod', [path, 'c', '1', '5']),
  '60 MB of line breaks': (path) => writeFileSync(path, Buffer.alloc(60_000_000, 10)),
  '3 GB of nothing': (path) => {
    writeFileSync(path, '{');
    truncateSync(path, 3 * 1024 ** 3);
  },
};

/** A pipe is no file on Windows, and links need a privilege. */
const cases = Object.entries(strange).filter(([what]) => !onWindows || !/pipe|link|device/.test(what));
const skipOf = (what: string) => ({ skip: what === 'a device' && !isRoot && 'only root makes devices' });

/** Puts something in the place of a file. */
function replace(path: string, make: (path: string) => void): void {
  rmSync(path, { recursive: true, force: true });
  make(path);
}

for (const [what, make] of cases) {
  test(
    `${what} in the place of store.json is refused, not read further, and not changed`,
    skipOf(what),
    async () => {
      await using world = new World();
      await (await world.store()).close();
      // What loads only when it is used would be counted, too.
      await diagnose({ dir: world.dir });
      const record = join(world.dir, 'store.json');
      replace(record, make);
      const before = lstatSync(record);
      const { bytes } = await costOf(async () => {
        for (const readOnly of [false, true])
          await assert.rejects(openStore({ dir: world.dir, readOnly }), { code: 'STORE_CORRUPT' });
        const { findings } = await diagnose({ dir: world.dir });
        assert.match(JSON.stringify(findings), /the store cannot be opened/);
      });
      assert.ok(bytes < 2 * bounds.recordBytes, `${bytes} bytes`);
      const { mode, size, mtimeMs, ino } = lstatSync(record);
      assert.deepEqual([mode, size, mtimeMs, ino], [before.mode, before.size, before.mtimeMs, before.ino]);
    },
  );

  test(
    `${what} in the place of a session's record harms no task, and is reported`,
    skipOf(what),
    async () => {
      await using world = new World();
      const first = await world.session('one');
      const { task } = await first.run('exit 3', { name: 'build' });
      await (await world.session('two')).run('exit 4');
      await first.close();
      const record = world.sessionOf(task.id).record;
      replace(record, make);
      const { bytes } = await costOf(async () => {
        const store = await world.store({ readOnly: true });
        assert.deepEqual(store.sessions(), ['one', 'two']);
        assert.equal(store.find('build', 'one').exitCode, 3);
        assert.equal((await store.tasks()).length, 2);
      });
      assert.ok(bytes < 20 * bounds.recordBytes, `${bytes} bytes`);
      const { findings } = await diagnose({ dir: world.dir });
      const told = findings.find(({ check }) => check === 'records');
      assert.match(told?.message ?? '', /^1 record is damaged: \S+session\.json \(/);
      const session = await world.session('one');
      assert.equal((await session.run('exit 5')).snapshot.exitCode, 5);
      assert.equal((await session.tasks()).length, 2);
      // It is written again, unless there is a folder.
      assert.equal(lstatSync(record).isFile(), what !== 'a folder');
      if (what.includes('somebody else')) assert.ok(lstatSync('/etc/hostname').isFile());
    },
  );
}

test('other files in the place of a session’s folders and small files keep nobody from using the store', async () => {
  await using world = new World();
  const { task } = await (await world.session('good')).run('exit 3');
  const sessions = join(world.dir, 'sessions');
  for (const [index, [what, make]] of cases.entries()) {
    if (what === 'a device' && !isRoot) continue;
    make(join(sessions, `strange-000000000000000${index}`));
    mkdirSync(join(sessions, `half-000000000000000${index}`));
    make(join(sessions, `half-000000000000000${index}`, 'tasks'));
    make(join(world.dir, `retained-${index}-any-0`));
  }
  letRetentionBeDue(join(world.dir, 'sessions'));
  const store = await world.store({ readOnly: true });
  assert.deepEqual(
    [store.sessions(), (await store.tasks()).map(({ taskId }) => taskId)],
    [['good'], [task.id]],
  );
  const session = await world.session('other');
  assert.equal((await session.run('exit 4')).snapshot.exitCode, 4);
  await (await world.store()).prune({ olderThanMs: 0 });
  assert.ok(readdirSync(sessions).some((name) => name.startsWith('strange-')));
});

for (const [what, make] of cases) {
  test(`${what} in the place of a copy of the shim is not read, and is replaced`, skipOf(what), async () => {
    if (onWindows) return;
    await using world = new World();
    await (await world.store()).close();
    const content = Buffer.from('a program');
    const sha256 = crypto().createHash('sha256').update(content).digest('hex');
    const path = join(programsFolder(world.dir), `shim-${sha256}`);
    mkdirSync(programsFolder(world.dir), { mode: 0o700 });
    replace(path, make);
    const { bytes } = await costOf(async () => {
      const kept = keepCopy(world.dir, sha256, async () => content);
      if (what === 'a folder') await assert.rejects(kept, { code: 'STORE_UNWRITABLE' });
      else await kept;
    });
    assert.ok(bytes < 1024, `${bytes} bytes`);
    assert.equal(lstatSync(path).isFile(), what !== 'a folder');
  });

  test(
    `${what} in the place of the exit code file of a task on Windows is ignored`,
    skipOf(what),
    async () => {
      await using world = new World();
      const path = join(world.base, 'bgb-0123abcd0123.exit');
      make(path);
      const { bytes } = await costOf(async () => {
        try {
          assert.equal(readExitMark(path), null);
        } catch (error) {
          assert.match(String(error), /ELOOP/);
        }
      });
      assert.ok(bytes < 1024, `${bytes} bytes`);
    },
  );
}
