import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MatchOptions, OwedMatch, Session } from '../../src/index.ts';
import { World, waitFor } from '../support/world.ts';

/** What is owed now. */
async function owed(session: Session, options: MatchOptions = {}): Promise<OwedMatch[]> {
  const found: OwedMatch[] = [];
  for await (const match of session.watches({ ...options, wait: false })) found.push(match);
  return found;
}

const texts = (matches: readonly OwedMatch[]): string[] => matches.map(({ text }) => text);

test('matches are owed to the next who opens the session, until they are acknowledged', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('echo error 1; echo fine; echo error 2; echo error 3; exec sleep 1000');
  assert.equal(await task.addWatch(/error \d/, { id: 'errors' }), 'errors');
  await waitFor(() => task.snapshot().output.bytes === 29, 'the output');
  await session.close();
  const next = await world.session();
  const found = await owed(next);
  assert.deepEqual(texts(found), ['error 1', 'error 2', 'error 3']);
  assert.deepEqual([found[0]?.taskId, found[0]?.watchId], [task.id, 'errors']);
  assert.equal(await found[1]?.ack(), true);
  // With a match, those before it are acknowledged.
  assert.equal(await found[0]?.ack(), false);
  assert.deepEqual(texts(await owed(next)), ['error 3']);
  await next.close();
  assert.deepEqual(texts(await owed(await world.session())), ['error 3']);
});

test('a match that comes is pushed to every process, and the first acknowledgement counts', async () => {
  await using world = new World();
  const [session, other] = [await world.session(), await world.session()];
  const [mine, others] = [session.watches(), other.watches()];
  const [first, second] = [mine.next(), others.next()];
  const task = await session.spawn('sleep 0.1; echo ready; exec sleep 1000');
  await task.addWatch('ready');
  const [a, b] = [(await first).value, (await second).value];
  assert.deepEqual([a?.text, b?.text], ['ready', 'ready']);
  assert.deepEqual([await b?.ack(), await a?.ack(), await b?.ack()], [true, false, false]);
  assert.deepEqual(await owed(session), []);
  await Promise.all([mine.return(), others.return()]);
});

test('a watch ends when its task has ended and every match is acknowledged; until then the task is kept', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('echo ready');
  await task.addWatch('ready', { id: 'w' });
  await task.wait();
  assert.deepEqual((await session.prune({ olderThanMs: 0 })).taskIds, []);
  const [match] = await owed(session);
  assert.deepEqual(
    task.watches().map(({ id, pattern }) => [id, pattern]),
    [['w', 'ready']],
  );
  assert.equal(await match?.ack(), true);
  assert.deepEqual(await owed(session), []);
  assert.deepEqual(task.watches(), []);
  assert.deepEqual((await session.prune({ olderThanMs: 0 })).taskIds, [task.id]);
});

test('adding a watch that is open changes nothing, another one under its id is refused, and it can be removed', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('echo ready 1; echo ready 2; exec sleep 1000');
  await task.addWatch(/ready/, { id: 'w' });
  await task.waitFor({ pattern: 'ready 2' });
  await (await owed(session))[0]?.ack();
  assert.equal(await task.addWatch(/ready/, { id: 'w' }), 'w');
  assert.equal((await owed(session)).length, 1);
  await assert.rejects(task.addWatch('other', { id: 'w' }), { code: 'INVALID_ARGUMENT' });
  assert.equal(await task.removeWatch('w'), true);
  assert.equal(await task.removeWatch('w'), false);
  assert.deepEqual(await owed(session), []);
  assert.equal(await task.addWatch('other', { id: 'w' }), 'w');
  for (let count = 1; count < 16; count += 1) await task.addWatch(`${count}`);
  await assert.rejects(task.addWatch('one too many'), { code: 'INVALID_ARGUMENT' });
});

test('watches end with their session, and by their abort signal', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('exec sleep 1000');
  await task.addWatch('ready');
  const abort = new AbortController();
  const waiting = session.watches({ abortSignal: abort.signal }).next();
  abort.abort();
  assert.equal((await waiting).done, true);
  const until = session.watches().next();
  await session.close();
  assert.equal((await until).done, true);
});
