import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { SetupHome } from '../../support/setup-home.ts';
import { Terminal } from '../../support/terminal.ts';

test('on a terminal the change is shown with its context, and after a no nothing is written', async () => {
  await using home = new SetupHome();
  home.has('.cursor/mcp.json', '{\n  "secret": "abc"\n}\n');
  const command = `${home.path} setup cursor; echo status=$?; exec sh`;
  const open = () => Terminal.open(home.base, { command, env: home.environment(), rows: 40 });
  {
    await using terminal = await open();
    const screen = await terminal.shows(/Write this\? \[y\/N\]/);
    assert.match(
      screen,
      /Cursor: ~\/\.cursor\/mcp\.json\n@@ .*\n \{\n- {2}"secret": "abc"\n\+ {2}"secret": "abc",\n\+ {2}"mcpServers": \{/,
    );
    await terminal.press('Enter');
    await terminal.shows(/status=1/);
    assert.equal(home.bytes('.cursor/mcp.json'), '{\n  "secret": "abc"\n}\n');
  }
  {
    await using terminal = await open();
    await terminal.shows(/Write this\? \[y\/N\]/);
    await terminal.press('C-d');
    await terminal.shows(/status=1/);
  }
  {
    await using terminal = await open();
    await terminal.shows(/Write this\? \[y\/N\]/);
    await terminal.enter('y');
    const screen = await terminal.shows(/status=0/);
    assert.match(screen, /wrote ~\/\.cursor\/mcp\.json/);
  }
});

test('without a terminal only what setup writes is shown, and a dry run writes nothing', async () => {
  await using home = new SetupHome();
  home.has('.cursor/mcp.json', '{\n  "secret": "abc" // mine\n}\n');
  const { status, stdout } = await home.run('setup', 'cursor', 'gemini', '--dry-run');
  assert.equal(status, 0);
  assert.match(stdout, /\+ {2}"mcpServers": \{/);
  assert.doesNotMatch(stdout, /abc/);
  const [line] = await home.setup('cursor', '--dry-run');
  assert.deepEqual([line?.change, line?.written], ['edit', false]);
  assert.doesNotMatch(line?.diff, /abc/);
  assert.equal(home.bytes('.cursor/mcp.json'), '{\n  "secret": "abc" // mine\n}\n');
  assert.equal(existsSync(join(home.base, '.local/state/outlive-setup')), false);
  assert.equal(existsSync(home.dir), false);
});
