import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Agent } from '../../support/agents.ts';
import { World } from '../../support/world.ts';

test('when two processes acknowledge the same matches, exactly one is first for each match', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('seq -f "error %g" 1 20; exec sleep 1000');
  await task.waitFor({ pattern: 'error 20' });
  await task.addWatch(/error \d+/, { id: 'errors' });
  await using first = await Agent.start(world.dir);
  await using second = await Agent.start(world.dir);
  const take = (agent: Agent): Promise<string[]> =>
    agent.run(async (scope) => {
      const won: string[] = [];
      for await (const match of scope.session.matches({ wait: false, maxPerSecond: null }))
        if (await match.ack()) won.push(match.text);
      return won;
    });
  const won = (await Promise.all([take(first), take(second)])).flat();
  // Whoever goes ahead acknowledges what is before it, too, so there may be fewer; none was won twice.
  assert.equal(new Set(won).size, won.length);
  assert.ok(won.includes('error 20'));
  assert.deepEqual(await take(first), []);
});
