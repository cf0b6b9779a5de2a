import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { onWindows } from '../../support/processes.ts';
import { World } from '../../support/world.ts';

/** Says which shell it runs in. */
const which = 'readlink /proc/$$/exe; echo "$0"';

const everywhere = [
  { shell: undefined, program: /\/bash\nbash\n$/ },
  { shell: 'sh', program: /\nsh\n$/ },
];

// Git for Windows has no others.
const onUnix = [
  { shell: '/bin/dash', program: /\/dash\ndash\n$/ },
  { shell: 'zsh', program: /\/zsh5?\nzsh\n$/ },
  { shell: 'mksh', program: /\/mksh\nmksh\n$/ },
];

const shells = onWindows ? everywhere : [...everywhere, ...onUnix];

for (const { shell, program } of shells) {
  test(`a command runs in ${shell ?? 'bash when no shell is named'}`, async () => {
    await using world = new World();
    const session = await world.session();
    const { output } = await session.run(which, shell === undefined ? {} : { shell });
    assert.match(output.text, program);
  });
}

test('the syntax of the chosen shell works', async () => {
  await using world = new World();
  const session = await world.session();
  const bash = await session.run('[[ abc == a* ]] && echo yes');
  assert.equal(bash.output.text, 'yes\n');
  const [shell, command] = onWindows ? ['cmd', 'if a==a echo y'] : ['zsh', 'a=(x y); print $a[2]'];
  const other = await session.run(command, { shell });
  assert.match(other.output.text, /^y\r?\n$/);
});

test('a shell that is missing, a folder or not a program is refused, and nothing is recorded', async () => {
  await using world = new World();
  const session = await world.session();
  const plain = join(world.base, 'plain');
  writeFileSync(plain, '#!/bin/sh\n');
  chmodSync(plain, 0o600);
  for (const shell of ['no-such-shell', '/nowhere/bash', world.base, plain, './bash', '', 'a/b']) {
    await assert.rejects(session.spawn('true', { shell }), { code: 'SHELL_NOT_FOUND' });
  }
  assert.deepEqual(world.taskIds(), []);
});
