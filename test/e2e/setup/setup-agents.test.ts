import assert from 'node:assert/strict';
import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse as parseJsonc } from 'jsonc-parser';
import { parse as parseToml } from 'smol-toml';
import { agentKeys } from '../../../src/cli/setup/agent-keys.ts';
import { objects } from '../../support/command-line.ts';
import { runtime } from '../../support/runtime.ts';
import { SetupHome } from '../../support/setup-home.ts';

/** Where each agent has its servers, in the files of its user and in those of a project. */
const servers: Record<string, [user: string, project: string, way: string]> = {
  claude: ['.claude.json', '.mcp.json', 'mcpServers'],
  codex: ['.codex/config.toml', '.codex/config.toml', 'mcp_servers'],
  gemini: ['.gemini/settings.json', '.gemini/settings.json', 'mcpServers'],
  opencode: ['.config/opencode/opencode.json', 'opencode.json', 'mcp'],
  pi: ['.pi/agent/extensions/outlive.js', '.pi/mcp.json', 'mcpServers'],
  vscode: ['.config/Code/User/mcp.json', '.vscode/mcp.json', 'servers'],
  cursor: ['.cursor/mcp.json', '.cursor/mcp.json', 'mcpServers'],
  zed: ['.config/zed/settings.json', '.zed/settings.json', 'context_servers'],
};

/** The command of the server in a file, as one line. */
function commandIn(home: SetupHome, path: string, way: string): string {
  const text = home.bytes(path);
  const data = path.endsWith('.toml') ? parseToml(text) : parseJsonc(text);
  const { command, args = [] } = data[way].outlive;
  return [command, args].flat().join(' ');
}

test('all agents are set up in an empty home, which is empty again after an undo', async () => {
  await using home = new SetupHome();
  const listed = async (): Promise<unknown[]> =>
    (await home.setup()).map(({ agent, state }) => [agent, state]);
  assert.deepEqual(
    await listed(),
    agentKeys.map((key) => [key, 'not-set-up']),
  );
  const lines = await home.setup(...agentKeys, '--yes');
  assert.deepEqual([...new Set(lines.map(({ agent }) => agent))], agentKeys);
  for (const line of lines)
    assert.deepEqual([line.change, line.written, line.scope], ['create', true, 'user']);
  const script = realpathSync(home.path);
  for (const [user, , way] of Object.values(servers)) {
    if (!user.endsWith('.js')) assert.equal(commandIn(home, user, way), `${runtime} ${script} mcp`);
    assert.equal(home.mode(user), 0o600);
  }
  assert.deepEqual(
    await listed(),
    agentKeys.map((key) => [key, 'set-up']),
  );
  for (const { change, written } of await home.setup(...agentKeys, '--yes'))
    assert.deepEqual([change, written], ['none', false]);
  for (const { change, exact } of await home.setup(...agentKeys, '--undo', '--yes'))
    assert.deepEqual([change, exact], ['delete', true]);
  assert.deepEqual(home.present(), []);
  assert.deepEqual(
    await listed(),
    agentKeys.map((key) => [key, 'not-set-up']),
  );
});

test('in a project the configuration names the program, not a path, so that it works for the whole team', async () => {
  await using home = new SetupHome();
  home.has('work/README', '');
  const project = async (...words: string[]) =>
    await home.call(['setup', ...agentKeys, '--project', '--json', ...words], {
      cwd: join(home.base, 'work'),
    });
  assert.equal((await project('--yes')).status, 0);
  for (const [, path, way] of Object.values(servers))
    assert.equal(commandIn(home, `work/${path}`, way), 'outlive mcp');
  assert.match(home.bytes('work/.claude/settings.json'), /"command": "outlive completions --hook"/);
  assert.deepEqual(
    home.present().filter((path) => !path.startsWith('work/')),
    [],
  );
  const { stdout } = await project('--undo', '--yes');
  assert.deepEqual(
    [...new Set(objects(stdout).map(({ change, scope }) => `${change} ${scope}`))],
    ['delete project'],
  );
  assert.deepEqual(home.present(), ['work/README']);
});

const own: Record<string, string> = {
  '.claude.json': '{"numStartups":3,"mcpServers":{"x":{"command":"x"}}}',
  '.claude/settings.json':
    '{\n  // of the user\n  "hooks": {\n    "PostToolUse": [\n      { "matcher": "Bash", "hooks": [] }\n    ],\n  },\n}\n',
  '.codex/config.toml': '# top\r\nmodel = "m" # why\r\n\r\n[mcp_servers.x]\r\ncommand = "x"\r\n# end',
  '.gemini/settings.json':
    '\xef\xbb\xbf{\r\n\t"theme": "caf\xc3\xa9", // \xc3\xa9\r\n\t/* none yet */ "mcpServers": {}\r\n}\r\n',
  '.config/opencode/opencode.jsonc': '// only a comment\n',
  '.config/zed/settings.json': '{ "a": [1, 2,], }',
  '.cursor/mcp.json': '',
};

test('existing content of the files stays, and an undo restores them byte for byte', async () => {
  await using home = new SetupHome();
  for (const [path, text] of Object.entries(own)) home.has(path, Buffer.from(text, 'latin1'), 0o640);
  const agents = ['claude', 'codex', 'gemini', 'opencode', 'zed', 'cursor'];
  for (const { change } of await home.setup(...agents, '--yes')) assert.equal(change, 'edit');
  for (const [path, text] of Object.entries(own)) {
    assert.equal(home.mode(path), 0o640, path);
    const after = home.bytes(path);
    for (const line of text.split(/\r?\n/))
      assert.ok(after.includes(line.replace(/[\]}, ]+$/, '')), `${path}: ${line}`);
    assert.equal(after.includes('\r'), text.includes('\r'), path);
    if (text.includes('\r')) assert.doesNotMatch(after, /[^\r]\n/, path);
  }
  for (const { exact } of await home.setup(...agents, '--undo', '--yes')) assert.equal(exact, true);
  for (const [path, text] of Object.entries(own)) assert.equal(home.bytes(path), text, path);
});

test('an undo removes from an edited file what setup has put in, and keeps the edit', async () => {
  await using home = new SetupHome();
  home.has('.claude.json', '{\n  "a": 1\n}\n');
  home.has('.codex/config.toml', 'a = 1\n');
  await home.setup('claude', 'codex', '--yes');
  home.has('.claude.json', home.bytes('.claude.json').replace('"a": 1,', '"a": 2, // two'));
  home.has('.codex/config.toml', `${home.bytes('.codex/config.toml')}\n[b]\nc = 2\n`);
  const undone = await home.setup('claude', 'codex', '--undo', '--yes');
  assert.deepEqual(
    undone.map(({ exact, change }) => [exact, change]),
    [
      [false, 'edit'],
      [true, 'delete'],
      [false, 'edit'],
    ],
  );
  assert.match(undone[0]?.note, /it was edited since/);
  assert.equal(home.bytes('.claude.json'), '{\n  "a": 2 // two\n}\n');
  assert.equal(home.bytes('.codex/config.toml'), 'a = 1\n\n[b]\nc = 2\n');
});

test('an entry that a person wrote by hand stays, also in an undo', async () => {
  await using home = new SetupHome();
  const mine = '{ "mcpServers": { "outlive": { "command": "outlive", "args": ["mcp", "-s", "mine"] } } }';
  home.has('.cursor/mcp.json', mine);
  home.has(
    '.claude/settings.json',
    '{ "hooks": { "PostToolUse": [{ "hooks": [{ "command": "outlive completions --ack" }] }] } }',
  );
  const [cursor] = await home.setup('cursor', '--yes');
  assert.deepEqual([cursor?.state, cursor?.change], ['by-hand', 'none']);
  const [, settings] = await home.setup('claude', '--yes');
  assert.deepEqual([settings?.state, settings?.change], ['by-hand', 'edit']);
  assert.match(settings?.note, /hooks.PostToolUse that setup did not write/);
  assert.equal(home.bytes('.claude/settings.json').match(/completions/g)?.length, 2);
  const [left] = await home.setup('cursor', '--undo', '--yes');
  assert.equal(left?.change, 'none');
  assert.equal(home.bytes('.cursor/mcp.json'), mine);
});

test('with a store and a session, the agent gets them too; a second setup replaces the first', async () => {
  await using home = new SetupHome();
  home.has('.cursor/mcp.json', '{ "a": 1 }\n');
  await home.setup('cursor', '--yes');
  const [line] = await home.setup('cursor', '--yes', '--store', join(home.base, 'my store'), '-s', 'mine');
  assert.equal(line?.change, 'edit');
  assert.match(commandIn(home, '.cursor/mcp.json', 'mcpServers'), / mcp --store .*my store --session mine$/);
  assert.equal((await home.setup('cursor', '--undo', '--yes'))[0]?.exact, true);
  assert.equal(home.bytes('.cursor/mcp.json'), '{ "a": 1 }\n');
});
