import assert from 'node:assert/strict';
import { test } from 'node:test';
import { factOf } from '../../support/logs.ts';
import { World } from '../../support/world.ts';
import { zombiesOf } from '../../support/zombies.ts';

/** The fourth is that of `ls` itself, which lists a folder. */
const bare = '0\n1\n2\n3\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n';

for (const shell of ['bash', 'dash', 'mksh', 'zsh']) {
  test(`a command in ${shell} has its exit code recorded and its output complete, and leaves no process`, async () => {
    await using world = new World();
    const session = await world.session();
    const commands: [string, number, RegExp][] = [
      ['true', 0, /^$/],
      ['echo out; echo err >&2; exit 7', 7, /^out\nerr\n$/],
      ['kill -9 $$', 137, /^$/],
      ['kill -SEGV $$', 139, /^$/],
      ['nowhere', 127, /nowhere.*not found|not found.*nowhere/],
    ];
    for (const [command, exitCode, text] of commands) {
      for (const timeoutMs of [60_000, null]) {
        const { snapshot, task, output } = await session.run(command, { shell, timeoutMs });
        assert.equal(snapshot.exitCode, exitCode);
        assert.match(output.text, text);
        assert.deepEqual(snapshot.leftovers, []);
        const started = factOf(world.logOf(task.id), 'started');
        assert.deepEqual(world.pidsOf(task.id, started.pid), []);
        assert.deepEqual(zombiesOf(started.pid), []);
      }
    }
  });

  test(`a command in ${shell} gets three descriptors, and no signal is blocked or ignored`, async () => {
    await using world = new World();
    const session = await world.session();
    const look = 'ls /proc/self/fd; grep -E "^Sig(Ign|Blk)" /proc/self/status';
    assert.equal((await session.run(look, { shell })).output.text, bare);
  });
}
