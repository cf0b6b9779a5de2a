import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { Chance } from '../../support/chance.ts';
import { passThroughQueue } from '../../support/long-queue.ts';
import { World } from '../../support/world.ts';

const folders = existsSync('/dev/shm') ? { disk: tmpdir(), tmpfs: '/dev/shm' } : { disk: tmpdir() };

for (const [kind, folder] of Object.entries(folders)) {
  test(`a queue on ${kind} goes on in its order when spawners and shims are killed or stopped and nobody is left`, async (t) => {
    await using world = new World(folder);
    const queue = { tasks: 100, places: 4, part: 60, attacks: 20 };
    t.diagnostic(await passThroughQueue(world, new Chance(t), queue));
  });
}
