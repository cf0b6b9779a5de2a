import assert from 'node:assert/strict';
import { readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadingFirst } from '../../support/runtime.ts';
import { SetupHome } from '../../support/setup-home.ts';
import { fixturePath } from '../../support/world.ts';

const before = '{\n  "a": 1 // one\n}\n';

/** Kills the program before its n-th call that changes a file. */
function diesAt(home: SetupHome, call: number): NodeJS.ProcessEnv {
  const begin = join(home.base, 'begin.mjs');
  writeFileSync(begin, 'globalThis.diesAtCall.begin();');
  const { NODE_OPTIONS } = home.environment();
  const env = { NODE_OPTIONS, DIES_AT_CALL: String(call) };
  return loadingFirst(env, fixturePath('dies-at-call.mjs'), begin);
}

function hasWhole(home: SetupHome): 'before' | 'after' {
  const text = home.bytes('.cursor/mcp.json');
  if (text === before) return 'before';
  assert.match(text, /^\{\n {2}"a": 1, \/\/ one\n {2}"mcpServers": \{\n[\s\S]*\n {2}\}\n\}\n$/);
  return 'after';
}

/** At every third call, from one that chance chooses; `OUTLIVE_CRASH_STEP=1` dies at every call. */
const step = process.env.OUTLIVE_CRASH_STEP === '1' ? 1 : 3;

for (const words of [['--yes'], ['--undo', '--yes']]) {
  test(`killed before any call, setup cursor ${words.join(' ')} leaves a whole file, and the next one finishes`, async () => {
    const seen = new Set<string>();
    for (let call = 1 + Math.floor(Math.random() * step); ; call += step) {
      await using home = new SetupHome();
      // The cache of compiled code is made first, and its calls are not counted.
      home.has('.cursor/mcp.json', before);
      await home.setup();
      if (words.length > 1) await home.setup('cursor', '--yes');
      const { status } = await home.call(['setup', 'cursor', ...words], { env: diesAt(home, call) });
      seen.add(hasWhole(home));
      if (status === 0) {
        assert.ok(call > 4, `${call}`);
        break;
      }
      await home.setup('cursor', ...words);
      assert.equal(hasWhole(home), words.length > 1 ? 'before' : 'after');
      await home.setup('cursor', '--undo', '--yes');
      assert.equal(hasWhole(home), 'before');
    }
    assert.deepEqual([...seen].sort(), ['after', 'before']);
  });
}

test('a draft that a process has left is removed by the next setup, and a fresh draft is left alone', async () => {
  await using home = new SetupHome();
  home.has('.cursor/mcp.json', before);
  const old = home.has('.cursor/mcp.json.0123456789ab.outlive-draft', 'half');
  utimesSync(old, 0, 0);
  home.has('.cursor/mcp.json.ba9876543210.outlive-draft', 'half');
  await home.setup('cursor', '--yes');
  assert.deepEqual(readdirSync(join(home.base, '.cursor')).sort(), [
    'mcp.json',
    'mcp.json.ba9876543210.outlive-draft',
  ]);
});

test('simultaneous setups and undos leave a whole file', async () => {
  await using home = new SetupHome();
  home.has('.cursor/mcp.json', before);
  await home.setup();
  const set = Array.from({ length: 3 }, () => home.run('setup', 'cursor', '--yes'));
  for (const { status, stderr } of await Promise.all(set)) assert.equal(status, 0, stderr);
  assert.equal(hasWhole(home), 'after');
  await Promise.all([home.run('setup', 'cursor', '--undo', '--yes'), home.run('setup', 'cursor', '--yes')]);
  hasWhole(home);
  await home.setup('cursor', '--yes');
  await home.setup('cursor', '--undo', '--yes');
  assert.equal(hasWhole(home), 'before');
});
