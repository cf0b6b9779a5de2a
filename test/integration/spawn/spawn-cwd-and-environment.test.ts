import assert from 'node:assert/strict';
import { mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { onWindows } from '../../support/processes.ts';
import { World } from '../../support/world.ts';

/** Prints the working directory as the system writes it; git-bash would print a path of MSYS. */
const pwd = onWindows ? 'pwd -W' : 'pwd';
const asPrinted = (path: string): string => `${path.replaceAll('\\', '/')}\n`;

test('a command runs in the given working directory, also with blanks and quotes in its name', async () => {
  await using world = new World();
  const session = await world.session();
  // No name has a double quote on Windows.
  const cwd = join(world.base, onWindows ? "a 'b' $d ü" : `a 'b' "c" $d ü`);
  mkdirSync(cwd);
  const { output, snapshot } = await session.run(pwd, { cwd });
  assert.equal(output.text, asPrinted(realpathSync(cwd)));
  assert.equal(snapshot.cwd, cwd);
});

test('without a working directory it runs where this process is', async () => {
  await using world = new World();
  const session = await world.session();
  const { output } = await session.run(pwd);
  assert.equal(output.text, asPrinted(process.cwd()));
});

test('variables are added to this process environment, replaced in it, and removed from it', async () => {
  await using world = new World();
  const session = await world.session();
  const env = { ADDED: 'a b\nc', HOME: '/elsewhere', PATH: process.env.PATH, LANG: null, EDITOR: undefined };
  process.env.EDITOR = 'vi';
  const { output } = await session.run(
    'echo "$ADDED|$HOME"; for name in LANG EDITOR INHERITED; do [ -v $name ] || echo no $name; done',
    { env: { ...env, INHERITED: undefined } },
  );
  assert.equal(output.text, 'a b\nc|/elsewhere\nno LANG\nno EDITOR\nno INHERITED\n');
});

test('a command cannot take the cookie of another task, and has its own', async () => {
  await using world = new World();
  const session = await world.session();
  process.env.OUTLIVE_TASK = 'bgb-000000000000.inherited';
  try {
    const { task, output } = await session.run('echo $OUTLIVE_TASK');
    assert.match(output.text, new RegExp(`^${task.id}\\.[0-9a-f]{16}\n$`));
  } finally {
    delete process.env.OUTLIVE_TASK;
  }
});
