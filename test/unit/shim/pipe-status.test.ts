import assert from 'node:assert/strict';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { findShell } from '../../../src/platform/shells.ts';
import { tellingShell } from '../../../src/shim/pipe-status.ts';
import { World } from '../../support/world.ts';

const folder = '/store/sessions/a-0123456789abcdef/output/bgb-0123abcd0123.pipes';
const question = { command: 'a | b', environment: {}, folder };
const shells = { bash: findShell('bash', process.env.PATH), zsh: findShell('zsh', process.env.PATH) };

test('bash and zsh are asked how their pipeline ended', () => {
  for (const name of ['bash', 'zsh'] as const)
    assert.equal(tellingShell({ ...question, shell: shells[name] }), name);
});

test('no shell is asked where there is no pipeline', () => {
  for (const command of ['make', 'a || b', 'a && b || c', 'a ||b||c', ''])
    for (const shell of Object.values(shells))
      assert.equal(tellingShell({ ...question, shell, command }), null);
});

test('shells that cannot answer are not asked, whatever their name', async () => {
  await using world = new World();
  const fake = (name: string, make: (path: string) => void): string => {
    const path = join(world.base, name);
    make(path);
    return path;
  };
  const script = fake('bash', (path) => writeFileSync(path, '#!/bin/sh\nexec sh "$@"\n', { mode: 0o755 }));
  const link = fake('zsh', (path) => symlinkSync(findShell('sh', process.env.PATH), path));
  for (const shell of [
    '/bin/sh',
    '/bin/dash',
    '/bin/fish',
    '/bin/constructor',
    '/bin/__proto__',
    script,
    link,
  ])
    assert.equal(tellingShell({ ...question, shell }), null, shell);
});

test('bash is not asked if the command could notice', () => {
  const shell = shells.bash;
  const texts = [
    ...[
      'trap "echo bye" EXIT; a | b',
      'trap | cat',
      'set -v; a | b',
      'set -euv; a | b',
      'set -o verbose; a | b',
      'set | wc',
    ],
    ...[
      'declare -p | wc',
      'typeset | wc',
      'echo $BASH_ENV | cat',
      'cat /proc/$$/environ | wc',
      'ps eww | cat',
      'a; set\nb | c',
    ],
    ...['a | b; c', 'node server.js # a|b'],
  ];
  for (const command of texts) assert.equal(tellingShell({ ...question, shell, command }), null, command);
  for (const variable of ['BASH_ENV', 'POSIXLY_CORRECT', 'SHELLOPTS', 'BASHOPTS', 'BASH_FUNC_trap%%'])
    assert.equal(tellingShell({ ...question, shell, environment: { [variable]: '' } }), null, variable);
  for (const command of [
    'set -x; a | b',
    'set -euo pipefail; a | b',
    'readonly IFS; a | b',
    'git config set v 1 | b',
    'ps aux | b',
  ])
    assert.equal(tellingShell({ ...question, shell, command }), 'bash', command);
});

test('zsh is not asked if the command could notice', () => {
  const shell = shells.zsh;
  for (const command of [
    'trap "echo bye" DEBUG; a | b',
    'TRAPDEBUG() { :; }; a | b',
    'functions | wc',
    'echo $ZDOTDIR | cat',
  ])
    assert.equal(tellingShell({ ...question, shell, command }), null, command);
  for (const command of ['set -xv; a | b', 'a | b; c', 'case x in a|b) c;; esac'])
    assert.equal(tellingShell({ ...question, shell, command }), 'zsh', command);
});

test('no shell is asked to answer in a folder whose name has special characters for it', () => {
  for (const sign of ['"', "'", '`', '$', '\\', '\n'])
    assert.equal(tellingShell({ ...question, shell: shells.bash, folder: `/a${sign}b/c` }), null, sign);
  assert.equal(tellingShell({ ...question, shell: shells.bash, folder: '/a b/ü!*/c' }), 'bash');
});
