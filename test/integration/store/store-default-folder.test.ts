import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Agent } from '../../support/agents.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';
import { windowsTest } from '../../support/windows-test.ts';
import { World } from '../../support/world.ts';

/** Where a process with that environment, and with its home in the world's folder, has its store. */
async function defaultFolder(world: World, env: NodeJS.ProcessEnv): Promise<string> {
  const home = { HOME: world.base, OUTLIVE_HOME: undefined, XDG_STATE_HOME: undefined, ...env };
  await using agent = await Agent.start(world.dir, { env: home });
  return await agent.run(async ({ openStore }) => {
    process.chdir(process.env.HOME ?? '/');
    const store = await openStore();
    await store.close();
    return store.dir;
  });
}

windowsTest('without a folder the store is in OUTLIVE_HOME, else in %LOCALAPPDATA%', async () => {
  await using world = new World();
  const local = join(world.base, 'local');
  const env = { USERPROFILE: world.base, LOCALAPPDATA: local };
  assert.equal(await defaultFolder(world, env), join(local, 'outlive'));
  const mine = join(world.base, 'mine');
  assert.equal(await defaultFolder(world, { ...env, OUTLIVE_HOME: mine }), mine);
  assert.equal(await defaultFolder(world, { ...env, OUTLIVE_HOME: '' }), join(local, 'outlive'));
});

test(
  'without a folder the store is in OUTLIVE_HOME, else in the folder for state, else in the home folder',
  notOnWindows('the folder is another: %LOCALAPPDATA%'),
  async () => {
    await using world = new World();
    const { base } = world;
    assert.notEqual(base, homedir());
    assert.equal(await defaultFolder(world, {}), join(base, '.local/state/outlive'));
    const state = join(base, 'state');
    assert.equal(await defaultFolder(world, { XDG_STATE_HOME: state }), join(state, 'outlive'));
    assert.equal(
      await defaultFolder(world, { XDG_STATE_HOME: 'relative' }),
      join(base, '.local/state/outlive'),
    );
    assert.equal(await defaultFolder(world, { XDG_STATE_HOME: '' }), join(base, '.local/state/outlive'));
    mkdirSync(join(base, 'mine'));
    assert.equal(
      await defaultFolder(world, { XDG_STATE_HOME: state, OUTLIVE_HOME: join(base, 'mine') }),
      join(base, 'mine'),
    );
    assert.equal(await defaultFolder(world, { OUTLIVE_HOME: '~/here' }), join(base, 'here'));
    assert.equal(await defaultFolder(world, { OUTLIVE_HOME: '' }), join(base, '.local/state/outlive'));
  },
);
