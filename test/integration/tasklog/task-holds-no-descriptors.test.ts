import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { openFiles } from '../../support/processes.ts';
import { World, waitFor } from '../../support/world.ts';

const descriptors = (): number => readdirSync('/proc/self/fd').length;

test('neither ended nor running tasks hold a descriptor', async () => {
  await using world = new World();
  const session = await world.session();
  // What the session itself holds, its watch and its doorbell, is open after two tasks, or soon after that.
  for (const _ of [1, 2]) await session.run('true');
  await waitFor(() => openFiles().some((path) => path.includes('/doorbell-')), 'the doorbell');
  const before = descriptors();
  const running = await Promise.all(Array.from({ length: 10 }, () => session.spawn('sleep 1000')));
  await waitFor(() => descriptors() <= before, 'the descriptors of the spawns to be closed');
  for (let round = 0; round < 10; round += 1) await (await session.run('true')).task.tail();
  await waitFor(() => descriptors() <= before, 'the descriptors of the ends to be closed');
  await Promise.all(running.map((task) => task.kill()));
  await waitFor(() => descriptors() <= before, 'the descriptors of the stops to be closed');
});
