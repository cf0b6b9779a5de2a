import assert from 'node:assert/strict';
import { test } from 'node:test';
import { World, waitFor } from '../../support/world.ts';

test('two consumers are both told of a completion, unless one has acknowledged it before', async () => {
  await using world = new World();
  const session = await world.session();
  const [one, two] = [session.completions(), session.completions()];
  const both = [one.next(), two.next()];
  const task = await session.spawn('true');
  const told = await Promise.all(both);
  assert.deepEqual(
    told.map(({ value }) => value?.taskId),
    [task.id, task.id],
  );
  const acks = [await told[0]?.value?.ack(), await told[1]?.value?.ack()];
  assert.deepEqual(acks, [true, false]);

  const early = await session.spawn('true');
  const { value } = await one.next();
  assert.equal(value?.taskId, early.id);
  await value?.ack();
  const late = await session.spawn('true');
  assert.equal((await two.next()).value?.taskId, late.id);
  await Promise.all([one.return(), two.return()]);
});

test('break ends the iteration, and other consumers go on', async () => {
  await using world = new World();
  const session = await world.session();
  const other = session.completions();
  const first = await session.spawn('true');
  for await (const completion of session.completions()) {
    assert.equal(completion.taskId, first.id);
    break;
  }
  assert.equal((await other.next()).value?.taskId, first.id);
  await other.return();
  assert.equal((await other.next()).done, true);
});

test('an abort ends a waiting iteration without an error', async () => {
  await using world = new World();
  const session = await world.session();
  const abort = new AbortController();
  const completions = session.completions({ abortSignal: abort.signal });
  const next = completions.next();
  abort.abort();
  assert.deepEqual(await next, { done: true, value: undefined });
  const task = await session.spawn('true');
  await task.wait({ ack: false });
  for await (const completion of session.completions({ abortSignal: AbortSignal.abort() })) {
    assert.fail(completion.taskId);
  }
  assert.equal((await session.pending()).length, 1);
});

test('closing the session ends every iteration, and undelivered completions stay pending', async () => {
  await using world = new World();
  const session = await world.session();
  const ends = [session.completions().next(), session.completions({ exclusive: true }).next()];
  await session.close();
  assert.deepEqual(
    (await Promise.all(ends)).map(({ done }) => done),
    [true, true],
  );
  assert.throws(() => session.completions(), { code: 'CLOSED' });
});

test('pending() lists what is pending, the oldest end first, and takes nothing', async () => {
  await using world = new World();
  const session = await world.session();
  const ids: string[] = [];
  for (const command of ['exit 1', 'exit 2', 'exit 3']) {
    const task = await session.spawn(command);
    await task.wait({ ack: false });
    ids.push(task.id);
    // Ends are told apart by the clock of the shims, which counts hundredths of a second.
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  for (let round = 0; round < 2; round += 1) {
    const pending = await session.pending();
    assert.deepEqual(
      pending.map(({ taskId }) => taskId),
      ids,
    );
  }
});

test('takePending() takes what is pending, and if two take at once, each completion goes to one of them', async () => {
  await using world = new World();
  const [session, other] = [await world.session(), await world.session()];
  const tasks = await Promise.all(Array.from({ length: 10 }, () => session.spawn('true')));
  await Promise.all(tasks.map((task) => task.wait({ ack: false })));
  await waitFor(async () => (await other.pending()).length === 10, 'the other session to see them');
  const [ours, theirs] = await Promise.all([session.takePending(), other.takePending()]);
  const ids = [...ours, ...theirs].map(({ taskId }) => taskId);
  assert.deepEqual(ids.sort(), tasks.map((task) => task.id).sort());
  assert.ok([...ours, ...theirs].every(({ delivered }) => delivered));
  assert.deepEqual(await session.takePending(), []);
});
