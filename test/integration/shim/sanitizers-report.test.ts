import assert from 'node:assert/strict';
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { appendFileSync, cpSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from '../../support/repository.ts';
import { World } from '../../support/world.ts';

/** What is wrong with a shim, and the words in which the sanitizers tell it. */
const defects = {
  'writes past the end of an array': ['at[2] = 1;', /stack-buffer-overflow[\s\S]*planted/],
  'counts past the last number': ['most += 0x7fffffff;', /signed integer overflow[\s\S]*planted/],
} as const;

for (const [what, [statement, told]] of Object.entries(defects)) {
  test(`a shim that ${what} is detected, although nobody sees its stderr`, async () => {
    await using world = new World();
    for (const part of ['scripts', 'native'])
      cpSync(join(root, part), join(world.base, part), { recursive: true });
    const defect = `char two[2]; char *volatile at = two; volatile int most = 2; ${statement} (void)at; (void)most;`;
    appendFileSync(
      join(world.base, 'native', 'src', 'main.c'),
      `\n__attribute__((constructor)) static void planted(void) { ${defect} }\n`,
    );
    const native = (option: string): SpawnSyncReturns<string> =>
      spawnSync(process.execPath, ['scripts/native.mjs', option], { cwd: world.base, encoding: 'utf8' });
    const { status, stdout, stderr } = native('--debug');
    assert.equal(status, 0, stderr);
    const shim = stdout.trim().replace(/^OUTLIVE_SHIM=/, '');
    // The environment of a shim is that of its command.
    const ended = spawnSync(shim, [], { cwd: '/', env: {}, stdio: 'ignore' });
    assert.deepEqual([ended.status, ended.signal], [99, null]);
    const reports = native('--reports');
    assert.equal(reports.status, 1);
    assert.match(reports.stderr, told);
    assert.deepEqual([native('--reports').status, native('--reports').stderr], [0, '']);
  });
}
