import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Session } from '../../../src/index.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';
import { World } from '../../support/world.ts';

const many = 800;

/** A session of tasks that have ended and that nobody was told of: the record of one, again and again. */
async function sessionOfMany(world: World): Promise<Session> {
  const session = await world.session();
  const task = await session.spawn('true');
  await task.wait({ ack: false });
  await session.close();
  const log = world.logOf(task.id);
  const text = readFileSync(log, 'utf8');
  for (let count = 1; count < many; count += 1) {
    const id = `${task.id.slice(0, -4)}${count.toString(16).padStart(4, '0')}`;
    writeFileSync(log.replace(task.id, id), text.replaceAll(task.id, id), { mode: 0o600 });
  }
  return await world.session();
}

/** How often others have their turn while something is done. */
async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
  let [turns, isDone] = [0, false];
  const count = (): void => {
    turns += 1;
    if (!isDone) setImmediate(count);
  };
  setImmediate(count);
  await work();
  isDone = true;
  return turns;
}

const options = notOnWindows('Wine takes a minute for so many files');

test('while many pending completions are read and taken, other work gets its turn', options, async () => {
  await using world = new World();
  const session = await sessionOfMany(world);
  for (const [what, work] of [
    ['pending', async () => assert.equal((await session.pending()).length, many)],
    ['completions', async () => assert.equal((await session.completions().next()).done, false)],
    ['takePending', async () => assert.equal((await session.takePending()).length, many)],
  ] as const) {
    const turns = await turnsDuring(work);
    assert.ok(turns > 3, `${what}: ${turns} turns`);
  }
});

test(
  'ends that come while a consumer reads earlier pending ones come after those, each once',
  options,
  async () => {
    await using world = new World();
    const session = await sessionOfMany(world);
    const before = new Set((await session.pending()).map(({ taskId }) => taskId));
    const consumer = session.completions();
    const first = consumer.next();
    const late = await session.spawn('true');
    const seen = [(await first).value?.taskId];
    while (seen.length <= many) seen.push((await consumer.next()).value?.taskId);
    await consumer.return();
    assert.equal(new Set(seen).size, many + 1);
    assert.equal(seen.at(-1), late.id);
    assert.ok(seen.slice(0, -1).every((id) => before.has(id ?? '')));
  },
);
