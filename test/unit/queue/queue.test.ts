import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Line, SerialQueue } from '../../../src/util/queue.ts';

test('jobs run one after another, in the order in which they came', async () => {
  const queue = new SerialQueue();
  const events: string[] = [];
  const job = (name: string) => async () => {
    events.push(`${name} begins`);
    await new Promise((resolve) => setImmediate(resolve));
    events.push(`${name} ends`);
    return name;
  };
  const results = await Promise.all(['a', 'b', 'c'].map((name) => queue.run(job(name))));
  assert.deepEqual(results, ['a', 'b', 'c']);
  assert.deepEqual(
    events,
    ['a', 'b', 'c'].flatMap((name) => [`${name} begins`, `${name} ends`]),
  );
});

test('a job that fails fails for its caller alone, and the next one runs', async () => {
  const queue = new SerialQueue();
  const failing = queue.run(() => {
    throw new Error('of the first');
  });
  const next = queue.run(() => 'second');
  await assert.rejects(failing, /of the first/);
  assert.equal(await next, 'second');
});

test('a burst of jobs lets the event loop turn between jobs', async () => {
  const queue = new SerialQueue();
  let turns = 0;
  let counting = true;
  const count = (): void => {
    turns += 1;
    if (counting) setImmediate(count);
  };
  setImmediate(count);
  const seen = await Promise.all(Array.from({ length: 5 }, () => queue.run(() => turns)));
  counting = false;
  assert.equal(new Set(seen).size, 5, `turns of the loop that the jobs saw: ${seen}`);
});

test('a single job does not wait for a turn of the event loop', async () => {
  const queue = new SerialQueue();
  for (let round = 0; round < 2; round += 1) {
    let turned = false;
    setImmediate(() => {
      turned = true;
    });
    assert.equal(await queue.run(() => turned), false);
    // The queue is empty again only after the reactions to its last job.
    await new Promise((resolve) => setImmediate(resolve));
  }
});

test('callers that enter a line go on one after another, whichever leaves first', async () => {
  const line = new Line();
  const [first, second, third] = [line.enter(), line.enter(), line.enter()];
  const turns: number[] = [];
  const all = [first, second, third].map(async ({ turn }, index) => {
    await turn;
    turns.push(index);
  });
  const settled = async (): Promise<number[]> => {
    await new Promise((resolve) => setImmediate(resolve));
    return [...turns];
  };
  assert.deepEqual(await settled(), [0]);
  second.leave();
  assert.deepEqual(await settled(), [0], 'one that gives up does not let others pass');
  first.leave();
  assert.deepEqual(await settled(), [0, 1, 2]);
  third.leave();
  await Promise.all(all);
});
