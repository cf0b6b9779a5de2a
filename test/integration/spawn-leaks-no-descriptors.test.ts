import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { World } from '../support/world.ts';

const list = 'ls /proc/self/fd';

test('a command gets the descriptors that a bare child gets and none of ours', async () => {
  await using world = new World();
  const session = await world.session();
  const bare = spawnSync('bash', ['-c', list], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  for (const timeoutMs of [60_000, null]) {
    for (const separate of [false, true]) {
      const { output } = await session.run(list, { timeoutMs, separate });
      assert.equal(output.text, bare.stdout);
    }
  }
});

test('stdin of a command is /dev/null', async () => {
  await using world = new World();
  const session = await world.session();
  const { output, snapshot } = await session.run('readlink /proc/self/fd/0; cat');
  assert.equal(output.text, '/dev/null\n');
  assert.equal(snapshot.exitCode, 0);
});
