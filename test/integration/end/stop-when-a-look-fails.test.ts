import assert from 'node:assert/strict';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { test } from 'node:test';
import { World, waitFor } from '../../support/world.ts';

/** Lets the next opening of a file with that name fail, as a disk does, until it is disposed of. */
function failingOnce(name: string): Disposable & { hasFailed: boolean } {
  const right = fs.openSync;
  const failing = {
    hasFailed: false,
    [Symbol.dispose]: () => {
      fs.openSync = right;
      syncBuiltinESMExports();
    },
  };
  fs.openSync = (opened, ...rest) => {
    if (failing.hasFailed || !String(opened).endsWith(name)) return right(opened, ...rest);
    failing.hasFailed = true;
    throw Object.assign(new Error('EIO: i/o error, open'), { code: 'EIO', errno: -5, syscall: 'open' });
  };
  syncBuiltinESMExports();
  return failing;
}

test('a killed task is reported as killed, also when reading its record fails at that moment', async () => {
  await using world = new World();
  const session = await world.session('test');
  const task = await session.spawn('sleep 1000');
  await waitFor(() => task.snapshot().status === 'running', 'the command to run');
  using failing = failingOnce(`${task.id}.jsonl`);
  await assert.rejects(task.kill({ graceMs: 0, ack: false }), { code: 'READ_FAILED' });
  assert.ok(failing.hasFailed);
  const { status, statusReason } = await task.wait();
  assert.deepEqual([status, statusReason], ['killed', 'kill']);
});
