import assert from 'node:assert/strict';
import { test } from 'node:test';
import { costOf } from '../../support/counted.ts';
import { factsOf, hasFact } from '../../support/logs.ts';
import { World, waitFor } from '../../support/world.ts';

test('an ack reads the log before and after it writes, and parses no line twice', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('true');
  await task.wait({ ack: false });
  const log = world.logOf(task.id);
  await waitFor(() => hasFact(log, 'outcome'), 'the outcome to be on disk');
  let isFirst = false;
  const { parses } = await costOf(async () => {
    isFirst = await task.ack();
  });
  assert.equal(isFirst, true);
  const facts = factsOf(log);
  assert.equal(facts.at(-1)?.fact, 'delivered');
  assert.ok(parses >= 1 && parses <= facts.length, `${parses} lines were parsed of ${facts.length}`);
});
