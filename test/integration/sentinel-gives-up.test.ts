import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { posixSentinel } from '../../src/shim/sentinel.ts';
import { World } from '../support/world.ts';

/** Runs a sentinel whose spawner is gone already; its exit code and what is in the folder then. */
async function run(world: World, node: string, keeper: string): Promise<[unknown, string[]]> {
  mkdirSync(world.dir, { recursive: true });
  const args = ['-c', posixSentinel, 'outlive', `${world.dir}/keeper-0-`, node, keeper, world.dir, '@'];
  const child = spawn('/bin/sh', args, { stdio: ['ignore', 'ignore', 'ignore', 'ignore'] });
  const [code] = (await once(child, 'exit')) as [number | null];
  return [code, readdirSync(world.dir)];
}

test('a sentinel whose package or node is gone ends, and marks nothing', async () => {
  await using world = new World();
  assert.deepEqual(await run(world, process.execPath, `${world.base}/gone.js`), [0, []]);
  assert.deepEqual(await run(world, `${world.base}/node`, import.meta.filename), [0, []]);
});

test('a keeper that fails because of an option is started without it', async () => {
  await using world = new World();
  const node = `${world.base}/node`;
  const log = `${world.base}/log`;
  writeFileSync(node, `#!/bin/sh\necho "$@" >>'${log}'\ncase $* in *no-opt*) exit 9 ;; esac\n`, {
    mode: 0o755,
  });
  assert.deepEqual(await run(world, node, import.meta.filename), [0, []]);
  const [first = '', second = '', ...more] = readFileSync(log, 'utf8').trim().split('\n');
  assert.match(first, /--no-opt .*keeper-0-\d+-\d+$/);
  assert.doesNotMatch(second, /--no-opt/);
  assert.equal(second.split(' ').at(-1), first.split(' ').at(-1), 'under the same mark');
  assert.deepEqual(more, []);
});
