import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CommandLine } from '../../support/command-line.ts';
import { onWindows } from '../../support/processes.ts';
import { onBun } from '../../support/runtime.ts';

/** The program with a temporary folder in which another user may have taken every name first. */
class SharedTemporaryFolder extends CommandLine {
  readonly shared = join(this.base, 'shared');
  readonly cache = onWindows ? join(this.base, 'outlive-cache') : join(this.base, '.cache', 'outlive');

  constructor() {
    super();
    mkdirSync(join(this.shared, 'node-compile-cache'), { recursive: true });
    for (const path of [this.shared, join(this.shared, 'node-compile-cache')]) chmodSync(path, 0o1777);
  }

  async starts(env: NodeJS.ProcessEnv = {}): Promise<void> {
    const folders = { TMPDIR: this.shared, TEMP: this.shared, TMP: this.shared, LOCALAPPDATA: this.base };
    const { status, stderr } = await this.call(['--version'], { env: { ...folders, ...env } });
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
    assert.deepEqual(readdirSync(this.shared, { recursive: true }), ['node-compile-cache']);
  }
}

test('the program reads no code from the temporary folder and writes none there', async () => {
  await using cli = new SharedTemporaryFolder();
  await cli.starts();
  // Bun keeps compiled code by itself, or not at all.
  if (!onBun) assert.ok(existsSync(cli.cache) && readdirSync(cli.cache).length > 0);
});

test('without its own folder the program starts without a cache', async () => {
  await using cli = new SharedTemporaryFolder();
  mkdirSync(join(cli.cache, '..'), { recursive: true });
  mkdirSync(cli.cache);
  chmodSync(cli.cache, 0o777);
  // Windows goes by no modes.
  if (!onWindows) await cli.starts();
  assert.deepEqual(readdirSync(cli.cache), []);
});
