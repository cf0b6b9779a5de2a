import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { Chance, endOfBudget } from '../support/chance.ts';
import { passThroughQueue } from '../support/long-queue.ts';
import { World } from '../support/world.ts';

const folders = existsSync('/dev/shm') ? { disk: tmpdir(), tmpfs: '/dev/shm' } : { disk: tmpdir() };

for (const [kind, folder] of Object.entries(folders)) {
  test(`1,000 tasks through a queue of 8 on ${kind} keep their order, whichever process is killed or stopped`, async (t) => {
    const chance = new Chance(t);
    const end = endOfBudget(1 / Object.keys(folders).length);
    do {
      await using world = new World(folder);
      const queue = { tasks: 1_000, places: 8, part: 250, attacks: 150 };
      t.diagnostic(await passThroughQueue(world, chance, queue));
    } while (performance.now() < end);
  });
}
