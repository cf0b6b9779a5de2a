import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { onWindows } from '../../support/processes.ts';
import { untilStarted } from '../../support/ready.ts';
import { fixturePath, World } from '../../support/world.ts';

const run = promisify(execFile);
const library = new URL('../../../src/index.js', import.meta.url).href;

test('a program that closes its store ends at once, and its task runs on', async () => {
  await using world = new World();
  const program = [fixturePath('closes-its-store.mjs'), library, world.dir, 'sleep 1000'];
  assert.equal((await run(process.execPath, program)).stdout, 'closed\n');
  await untilStarted(world, ...world.taskIds());
  const [snapshot] = await (await world.session()).tasks();
  assert.equal(snapshot?.status, 'running');
});

test('abandoned iterators do not keep the process alive', async () => {
  await using world = new World();
  const program = [fixturePath('leaves-iterators-open.mjs'), library, world.dir];
  assert.equal(
    (await run(process.execPath, program, { timeout: onWindows ? 60_000 : 10_000 })).stdout,
    'closed\n',
  );
});
