import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { World, waitFor } from '../../support/world.ts';

test('values of the environment are never written to the store', async () => {
  await using world = new World();
  const session = await world.session();
  const secret = 'hunter2-b7e1f2';
  const options = { env: { TOKEN: secret }, labels: { team: 'a' } };
  const fine = await session.spawn('test -n "$TOKEN"', options);
  const large = await session.spawn(`test -n "$TOKEN" #${'x'.repeat(100_000)}`, options);
  const stopped = await session.spawn('sleep 100 & sleep 100', options);
  const left = await session.spawn('sleep 100 &', { ...options, separate: true });
  assert.equal((await fine.wait()).exitCode, 0);
  assert.equal((await large.wait()).exitCode, 0);
  await waitFor(() => stopped.snapshot().status === 'running', 'the task to run');
  await stopped.kill();
  assert.equal((await left.wait()).leftovers.length, 1);
  await left.kill();
  const contents = readdirSync(world.dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'));
  assert.ok(contents.some((content) => content.includes('"team"')));
  assert.ok(!contents.some((content) => content.includes(secret)));
});
