import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import { test } from 'node:test';
import { World } from '../../support/world.ts';

const commands = [
  '-x',
  '-x echo seen',
  '+x',
  '+ 1',
  '--',
  '-- echo seen',
  '-c',
  '-c "echo seen"',
  '-',
  '-o errexit',
  '--version',
  '-n\necho seen $LINENO',
];

for (const shell of ['bash', 'sh', 'dash', 'zsh', 'mksh']) {
  test(`a command that begins like an option is a command for ${shell}`, async () => {
    await using world = new World();
    const session = await world.session();
    for (const command of commands) {
      const { snapshot, output } = await session.run(command, { shell });
      // What the shell says of it where it is told that its options have ended.
      const bare = spawnSync(shell, ['-c', '--', command, shell], { encoding: 'utf8' });
      assert.deepEqual([snapshot.exitCode, output.text], [bare.status, bare.stderr + bare.stdout], command);
      assert.equal(snapshot.command, command);
      // In zsh a dash alone is a word of its grammar; the second line of a command runs after the first.
      const isFound = command.includes('\n') || (shell === 'zsh' && command === '-');
      assert.equal(snapshot.exitCode, isFound ? 0 : 127, command);
    }
  });
}

test('a command that begins like an option is a command for a shell with another name, and in a pipeline', async () => {
  await using world = new World();
  const session = await world.session();
  mkdirSync(`${world.base}/bin`);
  const links = [
    ['my shell', '/bin/bash'],
    ['ash', '/bin/busybox'],
  ] as const;
  for (const [name, target] of links) {
    const shell = `${world.base}/bin/${name}`;
    symlinkSync(target, shell);
    for (const command of ['-x', '+x', '--', '-x | cat; exit 127']) {
      const { snapshot, output } = await session.run(command, { shell });
      assert.deepEqual([snapshot.status, snapshot.exitCode], ['failed', 127], `${name}: ${command}`);
      assert.match(output.text, /not found/);
    }
  }
  const { snapshot, output } = await session.run('-x 2>&1 | grep -o "not found"');
  assert.deepEqual([snapshot.exitCode, output.text], [0, 'not found\n']);
});

test('a command that begins like an option is a command for fish, and an expression for Python', async () => {
  await using world = new World();
  const session = await world.session();
  for (const command of ['-x', '+x', '--', '-c']) {
    const { snapshot, output } = await session.run(command, { shell: 'fish' });
    assert.equal(snapshot.exitCode, 127);
    assert.match(output.text, /Unknown command/);
  }
  for (const command of ['-1', '+1', '-len("x")', '-1\nprint("seen")']) {
    const { snapshot, output } = await session.run(command, { shell: 'python3' });
    assert.deepEqual(
      [snapshot.exitCode, output.text],
      [0, command.includes('seen') ? 'seen\n' : ''],
      command,
    );
  }
  const { snapshot } = await session.run('-undefined', { shell: 'python3' });
  assert.equal(snapshot.exitCode, 1);
});

test('a long command that begins like an option is a command', async () => {
  await using world = new World();
  const session = await world.session();
  const { snapshot, output } = await session.run(`-x ${'y'.repeat(200_000)}`);
  assert.equal(snapshot.exitCode, 127);
  assert.match(output.text, /-x: command not found/);
});
