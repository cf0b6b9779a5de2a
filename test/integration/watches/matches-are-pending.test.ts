import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { MatchOptions, PendingMatch, Session } from '../../../src/index.ts';
import { everything } from '../../support/untidy.ts';
import { quote, World, waitFor } from '../../support/world.ts';

/** What is pending now. */
async function pending(session: Session, options: MatchOptions = {}): Promise<PendingMatch[]> {
  const found: PendingMatch[] = [];
  for await (const match of session.matches({ ...options, wait: false })) found.push(match);
  return found;
}

const texts = (matches: readonly PendingMatch[]): string[] => matches.map(({ text }) => text);

test('matches are pending for the next process that opens the session, until they are acknowledged', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('echo error 1; echo fine; echo error 2; echo error 3; exec sleep 1000');
  assert.equal(await task.addWatch(/error \d/, { id: 'errors' }), 'errors');
  await waitFor(() => task.snapshot().output.bytes === 29, 'the output');
  await session.close();
  const next = await world.session();
  const found = await pending(next);
  assert.deepEqual(texts(found), ['error 1', 'error 2', 'error 3']);
  assert.deepEqual([found[0]?.taskId, found[0]?.watchId], [task.id, 'errors']);
  assert.equal(await found[1]?.ack(), true);
  // With a match, those before it are acknowledged.
  assert.equal(await found[0]?.ack(), false);
  assert.deepEqual(texts(await pending(next)), ['error 3']);
  await next.close();
  assert.deepEqual(texts(await pending(await world.session())), ['error 3']);
});

test('a watch with once delivers one match, in every process, until it is acknowledged', async () => {
  await using world = new World();
  const [session, other] = [await world.session(), await world.session()];
  const task = await session.spawn('echo ready 1; echo ready 2; exec sleep 1000');
  await task.addWatch(/ready \d/, { id: 'once', once: true });
  await assert.rejects(task.addWatch(/ready \d/, { id: 'once' }), { code: 'INVALID_ARGUMENT' });
  await waitFor(() => task.snapshot().output.bytes === 16, 'the output');
  // The other one hears of the watch a moment later.
  await waitFor(async () => (await pending(other)).length > 0, 'the match to be told there');
  const [mine, others] = [await pending(session), await pending(other)];
  assert.deepEqual([texts(mine), texts(others)], [['ready 1'], ['ready 1']]);
  assert.deepEqual([await others[0]?.ack(), await mine[0]?.ack()], [true, false]);
  assert.deepEqual([texts(await pending(session)), task.watches()], [[], []]);
  await assert.rejects(task.addWatch('x', { once: 'yes' as unknown as boolean }), {
    code: 'INVALID_ARGUMENT',
  });
});

test('a read-only process is told of matches, also of new watches, and changes nothing', async () => {
  await using world = new World();
  const session = await world.session();
  const go = `${world.base}/go`;
  const task = await session.spawn(
    `echo error 1; until [ -e ${quote(go)} ]; do sleep 0.02; done; echo error 2`,
  );
  await waitFor(() => task.snapshot().output.bytes === 8, 'the output');
  const store = await world.store({ readOnly: true });
  const told = store.pendingMatches(session.id);
  const first = told.next();
  await task.addWatch(/error \d/);
  assert.equal((await first).value?.text, 'error 1');
  writeFileSync(go, '');
  assert.equal((await told.next()).value?.text, 'error 2');
  await told.return();
  await task.wait({ ack: false });
  const before = everything(world.dir);
  const found: string[] = [];
  for (const reader of [store, await world.store()])
    for await (const { text } of reader.pendingMatches(session.id, { wait: false })) found.push(text);
  assert.deepEqual(found, ['error 1', 'error 2', 'error 1', 'error 2']);
  assert.deepEqual(everything(world.dir), before);
});

test('a new match is pushed to every process, and the first acknowledgement counts', async () => {
  await using world = new World();
  const [session, other] = [await world.session(), await world.session()];
  const [mine, others] = [session.matches(), other.matches()];
  const [first, second] = [mine.next(), others.next()];
  const task = await session.spawn('sleep 0.1; echo ready; exec sleep 1000');
  await task.addWatch('ready');
  const [a, b] = [(await first).value, (await second).value];
  assert.deepEqual([a?.text, b?.text], ['ready', 'ready']);
  assert.deepEqual([await b?.ack(), await a?.ack(), await b?.ack()], [true, false, false]);
  assert.deepEqual(await pending(session), []);
  await Promise.all([mine.return(), others.return()]);
});

test('a watch ends when its task has ended and every match is acknowledged; until then the task is kept', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('echo ready');
  await task.addWatch('ready', { id: 'w' });
  await task.wait();
  assert.deepEqual((await session.prune({ olderThanMs: 0 })).taskIds, []);
  const [match] = await pending(session);
  assert.deepEqual(
    task.watches().map(({ id, pattern }) => [id, pattern]),
    [['w', 'ready']],
  );
  assert.equal(await match?.ack(), true);
  assert.deepEqual(await pending(session), []);
  assert.deepEqual(task.watches(), []);
  assert.deepEqual((await session.prune({ olderThanMs: 0 })).taskIds, [task.id]);
});

test('adding an open watch again changes nothing, a different one under its id is refused, and it can be removed', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('echo ready 1; echo ready 2; exec sleep 1000');
  await task.addWatch(/ready/, { id: 'w' });
  await task.waitFor({ pattern: 'ready 2' });
  await (await pending(session))[0]?.ack();
  assert.equal(await task.addWatch(/ready/, { id: 'w' }), 'w');
  assert.equal((await pending(session)).length, 1);
  await assert.rejects(task.addWatch('other', { id: 'w' }), { code: 'INVALID_ARGUMENT' });
  assert.equal(await task.removeWatch('w'), true);
  assert.equal(await task.removeWatch('w'), false);
  assert.deepEqual(await pending(session), []);
  assert.equal(await task.addWatch('other', { id: 'w' }), 'w');
  for (let count = 1; count < 16; count += 1) await task.addWatch(`${count}`);
  await assert.rejects(task.addWatch('one too many'), { code: 'INVALID_ARGUMENT' });
});

test('watches end with their session, and with their abort signal', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('exec sleep 1000');
  await task.addWatch('ready');
  const abort = new AbortController();
  const waiting = session.matches({ abortSignal: abort.signal }).next();
  abort.abort();
  assert.equal((await waiting).done, true);
  const until = session.matches().next();
  await session.close();
  assert.equal((await until).done, true);
});

test('many watches and waits cause no warning of Node', async () => {
  await using world = new World();
  const warnings: Error[] = [];
  const note = (warning: Error): number => warnings.push(warning);
  process.on('warning', note);
  try {
    const session = await world.session();
    const command = 'sleep 0.5; echo error; exec sleep 1000';
    const tasks = await Promise.all(Array.from({ length: 12 }, () => session.spawn(command)));
    const [task] = tasks;
    assert.ok(task);
    for (let count = 0; count < 16; count += 1) await task.addWatch('error', { id: `errors-${count}` });
    const seen: PendingMatch[] = [];
    const matches = async (): Promise<void> => {
      for await (const match of session.matches()) if (seen.push(match) === 16) return;
    };
    await Promise.all([session.waitAll(tasks, { pattern: 'error' }), matches()]);
    await new Promise(setImmediate);
    assert.deepEqual(warnings, []);
  } finally {
    process.off('warning', note);
  }
});
