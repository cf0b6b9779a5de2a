import '../../support/suppressed-error.ts';
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { checkServerVersion } from '../../../src/fleet/bus/packages.ts';
import { root } from '../../support/repository.ts';

test('a server below 2.12 is refused, and the message names its version', () => {
  for (const said of ['2.12.0', '2.15.1', '3.0.0', 'nats-server: v2.12.3', 'nats-server: v10.1.0-RC.1\n'])
    checkServerVersion(said);
  for (const said of ['2.11.9', '1.99.0', 'nats-server: v2.9.4', '', 'nonsense'])
    assert.throws(() => checkServerVersion(said), {
      code: 'FLEET_PACKAGES',
      message: new RegExp(`2\\.12.*found ${said.trim() || 'none'}\\.`),
    });
});

test('without the NATS packages the error says what to install', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'outlive-packages-'));
  try {
    // The same modules where no package is found.
    for (const path of ['fleet/bus/packages.js', 'errors/error.js']) {
      mkdirSync(join(folder, path, '..'), { recursive: true });
      cpSync(join(root, 'build', 'src', path), join(folder, path));
    }
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    const { loadNats, loadKeys } = await import(pathToFileURL(join(folder, 'fleet/bus/packages.js')).href);
    for (const load of [loadNats, loadKeys])
      await assert.rejects(load(), {
        code: 'FLEET_PACKAGES',
        message: /npm install @nats-io\/transport-node@3 /,
      });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
