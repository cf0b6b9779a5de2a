import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { World } from '../support/world.ts';

// What a shell starts in the background ignores SIGINT and SIGQUIT, and what a shell ignores is inherited.
const dispositions = 'grep -E "^Sig(Ign|Blk)" /proc/self/status';

test('a command ignores and blocks the signals that a bare child does', async () => {
  await using world = new World();
  const session = await world.session();
  const { output } = await session.run(dispositions);
  assert.equal(output.text, spawnSync('bash', ['-c', dispositions], { encoding: 'utf8' }).stdout);
});

for (const name of ['INT', 'QUIT', 'TERM', 'HUP', 'PIPE', 'USR1', 'USR2', 'ALRM']) {
  test(`SIG${name} ends a command that does not handle it, and reaches the trap of one that does`, async () => {
    await using world = new World();
    const session = await world.session();
    const { snapshot } = await session.run(`sh -c 'kill -${name} $$; sleep 20; exit 3'; test $? -gt 128`);
    assert.equal(snapshot.exitCode, 0);
    const { output } = await session.run(`trap 'echo trapped' ${name}; kill -${name} $$`);
    assert.equal(output.text, 'trapped\n');
  });
}
