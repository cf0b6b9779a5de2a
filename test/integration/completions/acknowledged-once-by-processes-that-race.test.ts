import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Completion } from '../../../src/index.ts';
import { onWindows } from '../../support/processes.ts';
import { Racers } from '../../support/races.ts';
import { type World, waitFor } from '../../support/world.ts';

test('when processes acknowledge the same completions at once, exactly one is first for each', async () => {
  await using racers = await Racers.start();
  const tasks = await racers.endedTasks(60);
  const firsts = await racers.race(tasks, async ({ kept }, { ids, at }) => {
    const pending = kept.pending as Map<string, Completion>;
    const won: string[] = [];
    for (const [n, id] of ids.entries()) {
      while (Date.now() < at + 2 * n);
      if (await pending.get(id)?.ack()) won.push(id);
    }
    return won;
  });
  assert.deepEqual(firsts.flat().sort(), tasks);
  await nothingIsPending(racers.world);
});

test('when processes take, acknowledge and wait at once, each completion goes to exactly one', async () => {
  await using racers = await Racers.start();
  const tasks = await racers.endedTasks(20);
  const won = await racers.race(tasks, async ({ session, kept }, { ids, at }) => {
    const pending = kept.pending as Map<string, Completion>;
    while (Date.now() < at);
    if (kept.place === 0 || kept.place === 1)
      return (await session.takePending()).map(({ taskId }) => taskId);
    const first: string[] = [];
    for (const id of ids) if (await pending.get(id)?.ack()) first.push(id);
    return first;
  });
  assert.deepEqual(won.flat().sort(), tasks);
  await nothingIsPending(racers.world);

  const more = await racers.endedTasks(20);
  const [waited, ...firsts] = await racers.race(more, async ({ session, kept }, { ids, at }) => {
    const pending = kept.pending as Map<string, Completion>;
    while (Date.now() < at);
    if (kept.place === 1) return (await session.takePending()).map(({ taskId }) => taskId);
    const told: string[] = [];
    for (const id of ids) {
      // A waiter has the result in his hands, whoever was first.
      if (kept.place === 0 ? (await session.task(id).wait()).delivered : await pending.get(id)?.ack())
        told.push(id);
    }
    return told;
  });
  assert.deepEqual(waited, more);
  assert.equal(new Set(firsts.flat()).size, firsts.flat().length);
  await nothingIsPending(racers.world);
});

test('when processes take completions as they come, exactly one is first for each', async () => {
  await using racers = await Racers.start();
  const session = await racers.world.session();
  await Promise.all(racers.agents.map((agent) => agent.takeCompletions()));
  // A third is acknowledged by the one who waits for it.
  const length = onWindows ? 9 : 30;
  const tasks = await Promise.all(Array.from({ length }, (_, n) => session.spawn(`sleep 0.${n % 3}`)));
  await Promise.all(tasks.map((task, n) => task.wait({ ack: n % 3 === 0 })));
  await waitFor(async () => (await session.pending()).length === 0, 'all to be acknowledged');
  const taken = (await Promise.all(racers.agents.map((agent) => agent.taken()))).flat();
  const firsts = taken.filter(({ first }) => first).map(({ taskId }) => taskId);
  assert.equal(new Set(firsts).size, firsts.length);
  const alone = tasks.filter((_, n) => n % 3 !== 0).map(({ id }) => id);
  assert.deepEqual(
    alone.filter((id) => !firsts.includes(id)),
    [],
  );
});

async function nothingIsPending(world: World): Promise<void> {
  const session = await world.session();
  assert.deepEqual(await session.takePending(), []);
  await session.close();
}
