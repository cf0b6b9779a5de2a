import assert from 'node:assert/strict';
import { truncateSync, utimesSync } from 'node:fs';
import { test } from 'node:test';
import { Agent } from '../../support/agents.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';
import { World, waitFor } from '../../support/world.ts';

// Somebody cuts the log of a task that runs, and nothing in it says any more who its shim is.

const options = notOnWindows('its shims hold no logs');

/** A task whose spawner is dead, and of whose record only some bytes are left. */
async function cut(world: World): Promise<string> {
  await using agent = await Agent.start(world.dir);
  const id = await agent.run(async ({ session }) => (await session.spawn('sleep 1000; echo x')).id);
  await waitFor(() => world.pidsOf(id).length > 0, 'the command');
  await agent.crash();
  truncateSync(world.logOf(id), 50);
  return id;
}

test(
  'a task whose record was cut while it runs is not lost, and a stop ends its processes',
  options,
  async () => {
    await using world = new World();
    const id = await cut(world);
    // One without a shim is lost when its record is that old.
    const old = Date.now() / 1_000 - 60;
    utimesSync(world.logOf(id), old, old);
    const session = await world.session();
    assert.equal(session.task(id).snapshot().endedAt, null);
    const stopped = await session.task(id).kill();
    assert.deepEqual([stopped.status, stopped.exitCode], ['killed', 143]);
    assert.deepEqual(world.pidsOf(id), []);
  },
);

test('a task whose record was cut a moment ago is stopped whole', options, async () => {
  await using world = new World();
  const id = await cut(world);
  const session = await world.session();
  const stopped = await session.task(id).kill();
  assert.deepEqual([stopped.status, world.pidsOf(id)], ['killed', []]);
});
