import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import type { Task } from '../../../src/index.ts';
import { untilShows } from '../../support/press.ts';
import { World } from '../../support/world.ts';

// A program that reads nothing, and more input than the kernel and the shim keep for it.

const tty = { cols: 80, rows: 24 };

async function fill(task: Task): Promise<void> {
  await assert.rejects(task.send('x'.repeat(200_000), { timeoutMs: 300 }), { code: 'INPUT_FULL' });
}

for (const ends of ['detach', 'kill'])
  test(`a program whose input is full can be viewed, resized and left: ${ends}`, {
    timeout: 20_000,
  }, async () => {
    await using world = new World();
    const session = await world.session();
    const task = await session.spawn('stty raw -echo; echo ready; sleep 60', { tty, cwd: world.base });
    await untilShows(task, /ready/);
    await fill(task);
    await task.resize({ cols: 100, rows: 30 });
    assert.equal((await task.screen()).cols, 100);
    const keyboard = new PassThrough();
    const display = new PassThrough();
    const attached = task.attach({ input: keyboard, output: display }, {});
    await new Promise((resolve) => display.once('data', resolve));
    if (ends === 'detach') keyboard.write('\x1cd');
    else await task.kill({ graceMs: 0 });
    assert.equal(await attached, ends === 'detach' ? 'left' : 'ended');
  });
