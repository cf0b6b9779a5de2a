import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync } from 'node:fs';
import { openStore } from '../../../src/index.ts';
import { windowsTest } from '../../support/windows-test.ts';
import { World } from '../../support/world.ts';

/** What Wine takes for a share of the network: scripts/test-windows.mjs makes it. */
const share = '\\\\outlive\\share';

for (const shell of ['cmd', 'bash']) {
  windowsTest(
    `${shell}: a store in a folder with blanks, signs and non-ASCII letters runs commands`,
    async () => {
      await using world = new World();
      const store = await world.store({ dir: `${world.dir}/a b & ü^! (1)'` });
      const session = await store.session('ä\\..:b');
      const task = await session.spawn('echo hello && exit 5', { shell });
      assert.equal((await task.wait()).exitCode, 5);
      assert.match((await task.tail()).text, /^hello\s*$/);
    },
  );
}

windowsTest('a store whose path is too long for cmd, or contains a percent sign, is refused', async () => {
  await using world = new World();
  const dir = `${world.base}/${'long/'.repeat(40)}store`;
  await assert.rejects(openStore({ dir }), { code: 'INVALID_ARGUMENT', message: /at most 166/ });
  await assert.rejects(openStore({ dir: `${world.base}/100 %` }), { code: 'INVALID_ARGUMENT' });
  assert.deepEqual(readdirSync(world.base), [], 'before anything is made');
  const longest = `${world.base}/${'x'.repeat(166 - world.base.length - 1)}`;
  const session = await (await world.store({ dir: longest })).session('s'.repeat(100));
  const task = await session.spawn('echo hello', { shell: 'cmd' });
  assert.equal((await task.wait()).status, 'completed');
});

windowsTest('a folder whose path is too long is refused, and so is one on a share for cmd', async () => {
  await using world = new World();
  const session = await world.session();
  const cwd = `${world.base}/${'long/'.repeat(60)}`;
  mkdirSync(cwd, { recursive: true });
  const tooLong = { code: 'INVALID_CWD', message: /at most 258/ };
  await assert.rejects(session.spawn('exit', { cwd }), tooLong);
  const onShare = { code: 'INVALID_CWD', message: /drive/ };
  if (existsSync(share)) await assert.rejects(session.spawn('cd', { cwd: share, shell: 'cmd' }), onShare);
});

windowsTest('on a share a bash command runs in its folder, and a store works', async () => {
  if (!existsSync(share)) return;
  await using world = new World();
  const cwd = mkdtempSync(`${share}\\a b `);
  const session = await (await world.store({ dir: `${cwd}\\store` })).session('s');
  const task = await session.spawn('touch here; test -z "$_OUTLIVE_FOLDER" && exit 3', { cwd });
  assert.equal((await task.wait()).exitCode, 3);
  assert.ok(existsSync(`${cwd}\\here`));
  await session.close();
});
