import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { AgentLock } from '../../../src/fleet/agent/agent-lock.ts';
import { currentSystem } from '../../../src/platform/current.ts';

const system = await currentSystem();

function inFolder(action: (folder: string, path: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'outlive-lock-'));
  try {
    action(folder, join(folder, 'agent.lock'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('a folder has one agent at a time', () => {
  inFolder((folder, path) => {
    const lock = AgentLock.take(folder, system);
    assert.equal(lock.isHeld(), true);
    assert.throws(() => AgentLock.take(folder, system), { code: 'FLEET_HOST' });
    lock.release();
    assert.equal(existsSync(path), false);
    AgentLock.take(folder, system).release();
    assert.deepEqual(readdirSync(folder), []);
  });
});

test('the lock of an ended agent is taken over, and so is an unreadable lock file', () => {
  const { pid } = spawnSync('true');
  for (const text of [JSON.stringify({ ...system.self(), pid, start: 1 }), '', '{}', 'null', '{"pid":'])
    inFolder((folder, path) => {
      writeFileSync(path, text);
      const lock = AgentLock.take(folder, system);
      assert.equal(lock.isHeld(), true);
      assert.deepEqual(readdirSync(folder), ['agent.lock']);
    });
});

test('an agent whose lock file was replaced is no longer the only one, and does not remove the new file', () => {
  inFolder((folder, path) => {
    const lock = AgentLock.take(folder, system);
    // Another file, while the first one still has its number.
    writeFileSync(`${path}.other`, JSON.stringify(system.self()));
    rmSync(path);
    assert.equal(lock.isHeld(), false);
    spawnSync('mv', [`${path}.other`, path]);
    assert.equal(lock.isHeld(), false);
    lock.release();
    assert.equal(existsSync(path), true);
  });
});
