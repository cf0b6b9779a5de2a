import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isOwnUnit, unitName, unitText } from '../../../src/fleet/service/unit.ts';

const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0;

/** What stands for something else in a unit: specifiers, variables, quotes, separators, comments, prefixes. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: it is for systemd.
const hostile = ['%h %% %n', '$HOME ${HOME} $$', `"'\\`, 'a;b ; c', '#', '-x', '@:!+', 'ä', '\\x41\\n'];

test('a unit has each word as given, and systemd accepts it', { skip: !hasSystemd }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'outlive-unit-'));
  try {
    const command = [process.execPath, ...hostile];
    const environment = { PATH: `/bin:${hostile.join(':')}`, EMPTY: '' };
    const path = join(folder, unitName);
    writeFileSync(path, unitText({ command, environment }));
    const said = spawnSync('systemd-analyze', ['--user', '--man=no', 'verify', path], {
      encoding: 'utf8',
      env: { ...process.env, XDG_RUNTIME_DIR: folder },
    });
    assert.deepEqual([said.status, said.stdout, said.stderr], [0, '', '']);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('a unit that outlive wrote is recognized by its first line', () => {
  const text = unitText({ command: ['/bin/true'], environment: {} });
  assert.ok(isOwnUnit(text));
  assert.ok(!isOwnUnit(`\n${text}`));
  assert.match(text, /^KillMode=process$/m);
});

test('a word with a control character is refused, since it could start a new line', () => {
  for (const word of ['a\nExecStart=/bin/sh', 'a\r', 'a\0', '\u001b'])
    for (const options of [
      { command: ['/bin/true', word], environment: {} },
      { command: [word], environment: {} },
      { command: ['/bin/true'], environment: { PATH: word } },
    ])
      assert.throws(() => unitText(options), { code: 'INVALID_ARGUMENT' });
});
