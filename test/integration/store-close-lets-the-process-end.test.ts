import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { notOnWindows } from '../support/not-on-windows.ts';
import { onWindows } from '../support/processes.ts';
import { untilStarted } from '../support/ready.ts';
import { fixturePath, World } from '../support/world.ts';

const run = promisify(execFile);
const library = new URL('../../src/index.js', import.meta.url).href;

test('a program that closes its store ends at once, and its task runs on', async () => {
  await using world = new World();
  const program = [fixturePath('closes-its-store.mjs'), library, world.dir, 'sleep 1000'];
  assert.equal((await run(process.execPath, program)).stdout, 'closed\n');
  await untilStarted(world, ...world.taskIds());
  const [snapshot] = await (await world.session()).tasks();
  assert.equal(snapshot?.status, 'running');
});

test(
  'closing a store is waited for, also while the lifeline is still being made',
  notOnWindows('the shim keeps no time of its own, and needs no lifeline'),
  async () => {
    await using world = new World();
    const bin = join(world.base, 'bin');
    mkdirSync(bin);
    // Its pipes are closed before it ends, so nothing but its end is there to wait for.
    const slow = '#!/bin/sh\nexec >&- 2>&-\nsleep 0.3\nPATH=/usr/bin:/bin exec mkfifo "$@"\n';
    writeFileSync(join(bin, 'mkfifo'), slow);
    chmodSync(join(bin, 'mkfifo'), 0o755);
    const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` };
    const program = [fixturePath('closes-its-store.mjs'), library, world.dir, 'true'];
    assert.equal((await run(process.execPath, program, { env })).stdout, 'closed\n');
  },
);

test('iterators that nobody takes from any more do not keep the process', async () => {
  await using world = new World();
  const program = [fixturePath('leaves-iterators-open.mjs'), library, world.dir];
  assert.equal(
    (await run(process.execPath, program, { timeout: onWindows ? 60_000 : 10_000 })).stdout,
    'closed\n',
  );
});
