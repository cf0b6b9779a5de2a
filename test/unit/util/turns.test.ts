import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Turns } from '../../../src/util/turns.ts';

/** Does jobs, and says what was done in each turn of the event loop. */
async function turnsOf(turns: Turns, costs: readonly number[]): Promise<number[][]> {
  const done: number[][] = [[]];
  let isDone = false;
  const tick = (): void => {
    done.push([]);
    if (!isDone) setImmediate(tick);
  };
  setImmediate(tick);
  const job = (cost: number) => (): number => {
    done.at(-1)?.push(cost);
    return cost;
  };
  await Promise.all(costs.map((cost) => turns.run(job(cost), (result) => result)));
  isDone = true;
  await new Promise((resolve) => setImmediate(resolve));
  return done.filter((turn) => turn.length > 0);
}

test('a turn takes jobs until its budget is used, and the rest wait in order', async () => {
  const turns = new Turns(10);
  assert.deepEqual(await turnsOf(turns, [4, 4, 4, 1, 20, 3, 3]), [
    [4, 4, 4],
    [1, 20],
    [3, 3],
  ]);
  assert.deepEqual(await turnsOf(turns, [0, 0, 9]), [[0, 0, 9]]);
});

test('many callers at once get no more of a turn than one', async () => {
  const turns = new Turns(10);
  const done = await turnsOf(turns, Array<number>(300).fill(5));
  assert.equal(done.length, 150);
  assert.ok(done.every((turn) => turn.length === 2));
});

test('a job that fails fails for its caller, and the next ones run', async () => {
  const turns = new Turns(1);
  const failed = turns.run(
    () => {
      throw new TypeError('planted');
    },
    () => 1,
  );
  await assert.rejects(failed, /planted/);
  assert.equal(
    await turns.run(
      () => 'next',
      () => 1,
    ),
    'next',
  );
});

test('an urgent job runs at once, and is refused once it has used too much time', async () => {
  let now = 0;
  const turns = new Turns(1, () => now);
  const slow = (): string => {
    now += 15;
    return 'done';
  };
  assert.deepEqual([turns.hurry(slow), turns.hurry(slow), turns.hurry(slow)], ['done', 'done', null]);
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(turns.hurry(slow), 'done');
});
