import assert from 'node:assert/strict';
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { onWindows } from '../../support/processes.ts';
import { World } from '../../support/world.ts';

// What the user's shell itself says must have no path of ours in front of it.
const commands = ['foo', 'true\ntrue\nfoo', 'if', 'echo "$0" $# $LINENO', 'cd /nowhere', 'set -u; echo $x'];

for (const command of commands) {
  test(`${JSON.stringify(command)} gives the same message as with bash -c`, async () => {
    await using world = new World();
    const session = await world.session();
    const task = await session.spawn(command);
    const end = await task.wait();
    const bare = bash(command);
    assert.equal((await task.read()).text, bare.stdout + bare.stderr);
    assert.equal(end.exitCode, bare.status);
  });
}

/** On Windows bash says a path of its own where it is given no name, and a command is evaluated there. */
function bash(command: string): SpawnSyncReturns<string> {
  const words = onWindows ? ['eval "$COMMAND"', 'bash'] : [command];
  const env = { ...process.env, COMMAND: command };
  return spawnSync('bash', ['-c', ...words], { encoding: 'utf8', env });
}

test('an unknown command gives the message of bash -c and ends with 127', async () => {
  await using world = new World();
  const session = await world.session();
  const { snapshot, output } = await session.run('foo');
  assert.equal(output.text, 'bash: line 1: foo: command not found\n');
  assert.equal(snapshot.exitCode, 127);
});
