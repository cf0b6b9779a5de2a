import assert from 'node:assert/strict';
import { chmodSync, linkSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runProgram } from '../../support/packed.ts';
import { SetupHome } from '../../support/setup-home.ts';

test('words that setup does not know are refused with 64', async () => {
  await using home = new SetupHome();
  const cases: [words: string[], message: RegExp][] = [
    [['emacs'], /expected an agent out of claude, codex, .*; found "emacs"/],
    [['--undo'], /expected an agent with --undo; found none/],
    [['--yes'], /expected an agent with --yes/],
    [['claude'], /expected a terminal, to ask before writing; .*--dry-run.*--yes/],
    [['claude', '--json'], /expected a terminal, to ask/],
    [['cursor', '--plugin', 'x'], /expected one agent that has plugins \(claude, gemini\)/],
    [['claude', 'gemini', '--plugin', 'x'], /expected one agent that has plugins/],
    [['claude', '--plugin', 'x', '--undo'], /expected --plugin without --undo/],
    [['claude', '--plugin', 'x', '--project'], /expected --plugin without --project/],
    [['claude', '--nothing'], /unknown option '--nothing'/],
  ];
  for (const [words, message] of cases) await home.refused(64, words, message);
});

test('files that cannot be parsed are refused with 125 before anything is written', async () => {
  const cases: Record<string, [text: string | Uint8Array, message: RegExp]> = {
    'an open brace': [
      '{ "a": 1',
      /expected JSON in .*\.claude\.json; found \w+ at line 1, column \d+\. .*Nothing was written/,
    ],
    'UTF-16': [Buffer.from('\ufeff{ "a": 1 }', 'utf16le'), /expected text in UTF-8/],
    'bytes that are no text': [Buffer.from([0x7b, 0xff, 0x7d]), /expected text in UTF-8/],
    'an array': ['[1]', /expected an object at the top/],
    'a name that is there twice': ['{ "mcpServers": {}, "mcpServers": {} }', /expected "mcpServers" once/],
  };
  for (const [what, [text, message]] of Object.entries(cases)) {
    await using home = new SetupHome();
    home.has('.codex/config.toml', 'a = 1\n');
    home.has('.claude.json', text);
    const { stdout } = await home.refused(125, ['codex', 'claude', '--yes'], message);
    assert.equal(stdout, '', what);
    const { stderr } = await home.run('setup', 'claude', '--yes', '--json');
    assert.equal(JSON.parse(stderr).error.code, 'CONFIG_UNUSABLE');
    const listed = await home.setup();
    assert.deepEqual(listed.map(({ state }) => state).slice(0, 2), ['in-part', 'not-set-up']);
  }
});

test('a folder, a pipe, a file with two names and a read-only file are refused', async () => {
  await using home = new SetupHome();
  const path = join(home.base, '.cursor/mcp.json');
  mkdirSync(path, { recursive: true });
  await home.refused(125, ['cursor', '--yes'], /expected a file in .*; found a folder/);
  mkdirSync(join(home.base, '.gemini'));
  runProgram('mkfifo', [join(home.base, '.gemini/settings.json')], home.base);
  const { status, stderr } = await home.run('setup', 'gemini', '--yes');
  assert.equal(status, 125);
  assert.match(stderr, /found a pipe or a device/);
  await using other = new SetupHome();
  const file = other.has('.cursor/mcp.json', '{}');
  chmodSync(file, 0o444);
  await other.refused(125, ['cursor', '--yes'], /found one that is read-only/);
  chmodSync(file, 0o644);
  linkSync(file, join(other.base, 'second'));
  await other.refused(125, ['cursor', '--yes'], /found one that has 2 \(hard links\)/);
  other.has('.pi', 'a file in the place of the folder');
  await other.refused(125, ['pi', '--yes'], /expected a file that can be read in .*\.pi.*; found ENOTDIR/);
});

test('a link is followed to a file of the same user, and stays; in a project only within it', async () => {
  await using home = new SetupHome();
  const target = home.has('dotfiles/mcp.json', '{}\n');
  mkdirSync(join(home.base, '.cursor'));
  symlinkSync('../dotfiles/mcp.json', join(home.base, '.cursor/mcp.json'));
  const [line] = await home.setup('cursor', '--yes');
  assert.deepEqual([line?.linkTo, line?.written], [target, true]);
  assert.match(home.bytes('dotfiles/mcp.json'), /outlive/);
  assert.equal(readdirSync(join(home.base, '.cursor'), { withFileTypes: true })[0]?.isSymbolicLink(), true);
  assert.equal((await home.setup('cursor', '--undo', '--yes'))[0]?.exact, true);
  assert.equal(readFileSync(target, 'utf8'), '{}\n');

  symlinkSync('nowhere', join(home.base, '.claude.json'));
  await home.refused(125, ['claude', '--yes'], /found a link that leads to no file/);

  mkdirSync(join(home.base, 'work/.vscode'), { recursive: true });
  symlinkSync(target, join(home.base, 'work/.vscode/mcp.json'));
  symlinkSync('../dotfiles', join(home.base, 'work/.cursor'));
  for (const agent of ['vscode', 'cursor']) {
    const { status, stderr } = await home.call(['setup', agent, '--project', '--yes'], {
      cwd: join(home.base, 'work'),
    });
    assert.equal(status, 125);
    assert.match(stderr, /expected a file in .*work in .*; found a link to .*dotfiles/);
  }
  assert.equal(readFileSync(target, 'utf8'), '{}\n');
});

test('a plugin is written only into a new or empty folder', async () => {
  await using home = new SetupHome();
  for (const agent of ['claude', 'gemini']) {
    const folder = join(home.base, agent);
    const words = [agent, '--plugin', folder];
    const [first] = await home.setup(...words);
    assert.equal(first?.written, true);
    for (const path of first?.files ?? []) {
      const data = JSON.parse(readFileSync(path, 'utf8'));
      assert.ok(data.name === 'outlive' || data.mcpServers?.outlive || data.hooks, path);
      assert.doesNotMatch(JSON.stringify(data), /node_modules/);
    }
    assert.equal((await home.setup(...words))[0]?.written, false);
    home.has(`${agent}/other`, '');
    await home.refused(64, words, /expected a folder for the plugin that is empty or not there/);
  }
});
