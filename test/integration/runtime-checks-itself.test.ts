import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { removeUnfinishedPipes } from '../support/lifelines.ts';
import { fixturePath, World } from '../support/world.ts';

test('the program that runs outlive has the clocks that timeouts need, and a keeper; npm run prove asks others', async () => {
  await using world = new World();
  mkdirSync(world.dir);
  const library = new URL('../../src/index.js', import.meta.url).href;
  const runtime = process.env.OUTLIVE_TEST_RUNTIME ?? process.execPath;
  await promisify(execFile)(runtime, [fixturePath('checks-its-runtime.mjs'), library, world.dir]);
  // The spawner that it kills may be in the middle of making its pipe.
  await removeUnfinishedPipes(join(world.dir, 'kept'));
});
