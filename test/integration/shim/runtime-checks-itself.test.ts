import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { fixturePath, World } from '../../support/world.ts';

test('the runtime has the clocks that timeouts need, and limits that outlive it', async () => {
  await using world = new World();
  mkdirSync(world.dir);
  const library = new URL('../../../src/index.js', import.meta.url).href;
  const runtime = process.env.OUTLIVE_TEST_RUNTIME ?? process.execPath;
  await promisify(execFile)(runtime, [fixturePath('checks-its-runtime.mjs'), library, world.dir]);
});
