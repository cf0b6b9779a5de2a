import assert from 'node:assert/strict';
import { closeSync, openSync, truncateSync, unlinkSync, writeFileSync, writeSync } from 'node:fs';
import { test } from 'node:test';
import { terminalUpdates } from '../../../src/acp/index.ts';
import type { OutputChunk, PendingMatch, Session, Task, WatchMatch } from '../../../src/index.ts';
import { Paired } from '../../support/acp.ts';
import { say, shortenings, Told } from '../../support/shortened.ts';
import { World, waitFor } from '../../support/world.ts';

const before = 'one\ntwo\nthree\n';

async function toldBefore(world: World, session: Session): Promise<Told> {
  const told = await Told.start(world, session);
  for (const line of ['one', 'two', 'three']) await told.say(line);
  return told;
}

/** Follows a task, and keeps what came. */
function following(
  task: Task,
  offset = 0,
): { chunks: OutputChunk[]; done: Promise<void>; text: () => string } {
  const chunks: OutputChunk[] = [];
  const done = (async () => {
    for await (const chunk of task.follow({ offset })) chunks.push(chunk);
  })();
  return { chunks, done, text: () => chunks.map(({ text }) => text).join('') };
}

for (const [how, { make, left }] of Object.entries(shortenings)) {
  test(`a follower of an output that is ${how} is told so, and gets what is written from then on`, async () => {
    await using world = new World();
    const told = await toldBefore(world, await world.session());
    const followed = following(told.task);
    await waitFor(() => followed.text() === before, 'what was there');
    const count = followed.chunks.length;
    make(told.path);
    await waitFor(() => followed.chunks.length > count, 'the word that it is shorter');
    await told.say('four');
    await waitFor(() => followed.text() === `${before}${left}four\n`, 'what came then');
    told.end();
    await followed.done;
    const [first] = followed.chunks.slice(count);
    assert.deepEqual([first?.offset, first?.beginsAt], [before.length, before.length]);
    let next = before.length;
    for (const { offset, nextOffset, size, beginsAt } of followed.chunks.slice(count)) {
      assert.deepEqual([offset, beginsAt], [next, before.length]);
      assert.ok(nextOffset <= size);
      next = nextOffset;
    }
    assert.equal(next, before.length + left.length + 'four\n'.length);
  });

  test(`pages of an output that is ${how} go on: no offset gets two meanings, and nothing is skipped`, async () => {
    await using world = new World();
    const told = await toldBefore(world, await world.session());
    const { task, path } = told;
    const first = await task.read();
    assert.deepEqual([first.text, first.nextOffset, first.beginsAt], [before, before.length, 0]);
    make(path);
    const page = await task.read({ offset: first.nextOffset });
    assert.deepEqual(
      [page.text, page.offset, page.nextOffset, page.size, page.beginsAt],
      [left, 14, 14 + left.length, 14 + left.length, 14],
    );
    writeFileSync(path, 'more\n', { flag: 'a' });
    assert.equal((await task.read({ offset: page.nextOffset })).text, 'more\n');
    const [old, end] = [await task.read({ offset: 4, maxBytes: 2 }), await task.tail({ maxBytes: 5 })];
    assert.deepEqual([old.text, old.offset, old.beginsAt], [`${left}more\n`.slice(0, 2), 14, 14]);
    assert.deepEqual(
      [end.text, end.nextOffset, end.omittedBytes],
      ['more\n', page.nextOffset + 5, left.length],
    );
    told.end();
  });

  test(`a wait for a line of an output that is ${how} finds the line, and is told`, async () => {
    await using world = new World();
    const told = await toldBefore(world, await world.session());
    const [late, atOnce] = [
      told.task.waitFor({ pattern: /^four$/ }),
      told.task.waitFor({ pattern: 'three' }),
    ];
    assert.equal((await atOnce).beginsAt, 0);
    make(told.path);
    await told.say('four');
    const { cause, match, beginsAt } = await late;
    assert.deepEqual([cause, match?.text, beginsAt], ['pattern', 'four', 14]);
    const found = await told.task.read({ offset: match?.offset ?? 0 });
    assert.equal(found.text, 'four\n');
    const silent = await told.task.waitFor({ idleMs: 50 });
    assert.deepEqual([silent.cause, silent.beginsAt], ['idle', 14]);
    told.end();
    const end = await told.task.waitFor({ pattern: 'never' });
    assert.deepEqual([end.cause, end.beginsAt], ['exit', 14]);
  });

  test(`a watch of an output that is ${how} misses no line, and mixes no old and new line`, async () => {
    await using world = new World();
    const told = await toldBefore(world, await world.session());
    const matches: WatchMatch[] = [];
    const watching = (async () => {
      for await (const match of told.task.watch(/.*/, { contextLines: 1, maxPerSecond: null }))
        matches.push(match);
    })();
    const lines = () => matches.map(({ line }) => line);
    await waitFor(() => lines().at(-1) === 'three', 'what was there');
    make(told.path);
    await told.say('four');
    await waitFor(() => lines().includes('four'), 'the line');
    told.end();
    await watching;
    const all = `${before}${left}four`.split('\n');
    assert.deepEqual(lines(), all);
    const first = matches[3];
    assert.deepEqual([first?.offset, first?.beginsAt, first?.before], [14, 14, []]);
  });

  test(`an editor that shows a terminal whose output is ${how} shows the present output`, async () => {
    await using world = new World();
    const told = await toldBefore(world, await world.session());
    let shown = '';
    let erased: unknown;
    const showing = (async () => {
      for await (const update of terminalUpdates(told.task)) {
        if (update.sessionUpdate === 'terminal_output_chunk') shown += Buffer.from(update.data, 'base64');
        else if (update.output !== undefined) {
          shown = String(Buffer.from(update.output.data, 'base64'));
          erased = update._meta?.['outlive/beginsAt'];
        }
      }
    })();
    await waitFor(() => shown === before, 'what was there');
    make(told.path);
    await waitFor(() => erased === 14, 'the word that it is shorter');
    await told.say('four');
    await waitFor(() => shown === `${left}four\n`, 'what there is now');
    told.end();
    await showing;
  });
}

test('an agent that reads a terminal whose output was made empty is told so in _meta', async () => {
  await using world = new World();
  using paired = new Paired({ store: await world.store() });
  const input = `${world.base}/in`;
  writeFileSync(input, '');
  const terminal = await paired.editor.createTerminal({ sessionId: 's', command: Told.command(input) });
  const { path } = (await paired.terminals.session('s')).task(terminal.id).snapshot().output;
  await say(input, path, 'one');
  const whole = await terminal.currentOutput();
  assert.deepEqual([whole.output, whole.truncated, whole._meta], ['one\n', false, undefined]);
  truncateSync(path);
  await say(input, path, 'two');
  const rest = await terminal.currentOutput();
  assert.deepEqual([rest.output, rest.truncated, rest._meta], ['two\n', true, { 'outlive/beginsAt': 4 }]);
  await terminal.kill();
});

/** What is pending now. */
async function pending(session: Session): Promise<PendingMatch[]> {
  const found: PendingMatch[] = [];
  for await (const match of session.matches({ wait: false, maxPerSecond: null })) found.push(match);
  return found;
}

test('matches of a durable watch are pending even if they come after the output was made empty', async () => {
  await using world = new World();
  const session = await world.session();
  const told = await Told.start(world, session);
  await told.task.addWatch(/error \d.*/, { id: 'errors' });
  await told.say('error 1, at length');
  const [first] = await pending(session);
  assert.equal(await first?.ack(), true);
  // A line begins where the acknowledged one ended.
  truncateSync(told.path);
  await told.say('error 2');
  const [second, ...more] = await pending(session);
  assert.deepEqual([second?.text, second?.beginsAt, more.length], ['error 2', 19, 0]);
  await session.close();
  // Whoever was not there when it was made empty learns it from the record, which says how far the output went.
  const next = await world.session();
  assert.deepEqual(
    (await pending(next)).map(({ text }) => text),
    ['error 2'],
  );
  told.end();
});

test('after an output started again, two processes tell no acknowledged match a second time', async () => {
  await using world = new World();
  const session = await world.session();
  const told = await Told.start(world, session);
  await told.task.addWatch(/error \d/, { id: 'errors' });
  await told.say('one');
  await told.say('error 1, at length');
  assert.deepEqual(
    (await pending(session)).map(({ text }) => text),
    ['error 1'],
  );
  // The shim says that the end is gone, and this process reads all of it anew.
  truncateSync(told.path, 4);
  await waitFor(() => told.task.snapshot().output.erasedBytes === 23, 'the shim to notice');
  const other = await world.session();
  for (const line of ['error 2', 'error 3', 'error 4']) await told.say(line);
  const [mine, others] = [await pending(session), await pending(other)];
  for (const found of [mine, others])
    assert.deepEqual(
      found.map(({ text }) => text),
      ['error 2', 'error 3', 'error 4'],
    );
  assert.deepEqual([mine[0]?.beginsAt, others[0]?.beginsAt], [23, 23]);
  const left = async (): Promise<string[][]> =>
    await Promise.all([session, other].map(async (one) => (await pending(one)).map(({ text }) => text)));
  assert.equal(await mine[0]?.ack(), true);
  assert.deepEqual((await left())[1], ['error 3', 'error 4']);
  assert.equal(await others[1]?.ack(), true);
  assert.deepEqual((await left())[0], ['error 4']);
  assert.equal(await mine[2]?.ack(), true);
  for (let round = 0; round < 3; round += 1) assert.deepEqual(await left(), [[], []]);
  await told.say('error 5');
  assert.deepEqual(await left(), [['error 5'], ['error 5']]);
  assert.deepEqual(
    (await pending(await world.session())).map(({ text }) => text),
    ['error 5'],
  );
  told.end();
});

test('an output that is made empty in the middle of a line and a character starts again', async () => {
  await using world = new World();
  const session = await world.session();
  const go = `${world.base}/go`;
  const task = await session.spawn(
    `printf 'password: \\342\\202'; until [ -e ${go} ]; do sleep 0.01; done; printf '\\254 word\\n'`,
  );
  const followed = following(task);
  const seen = task.waitFor({ pattern: /€|password: .* word/ });
  await waitFor(() => followed.text() === 'password: ', 'the prompt');
  truncateSync(task.snapshot().output.path);
  await waitFor(() => (followed.chunks.at(-1)?.beginsAt ?? 0) > 0, 'the word that it is shorter');
  writeFileSync(go, '');
  assert.equal((await seen).cause, 'exit');
  await followed.done;
  assert.equal(followed.text(), 'password: \ufffd word\n');
});

const removed = 'an output that is removed is told as gone, and one that was not written yet is not';
test(removed, async () => {
  await using world = new World();
  const session = await world.session();
  const told = await Told.start(world, session);
  const followed = following(told.task);
  assert.equal((await told.task.tail()).beginsAt, 0);
  await told.say('one');
  await waitFor(() => followed.text() === 'one\n', 'the line');
  unlinkSync(told.path);
  await waitFor(() => followed.chunks.at(-1)?.beginsAt === 4, 'the word that it is gone');
  told.end();
  await followed.done;
});

test('an output that is truncated again and again loses nothing that a reader has seen', async () => {
  await using world = new World();
  const session = await world.session();
  const told = await Told.start(world, session);
  const followed = following(told.task);
  let expected = '';
  for (let round = 0; round < 8; round += 1) {
    await told.say(`round ${round}`);
    expected += `round ${round}\n`;
    await waitFor(() => followed.text() === expected, `round ${round}`);
    truncateSync(told.path);
  }
  told.end();
  await followed.done;
  assert.equal(followed.chunks.at(-1)?.beginsAt, expected.length);
});

test('an output that is made empty during a flood still gives every reader the last line', async () => {
  await using world = new World();
  const session = await world.session();
  const go = `${world.base}/go`;
  const task = await session.spawn(`until [ -e ${go} ]; do seq 1 2000; sleep 0.01; done; echo the last line`);
  const followed = following(task);
  const waiting = task.waitFor({ pattern: 'the last line' });
  const path = task.snapshot().output.path;
  await waitFor(() => followed.chunks.length > 0, 'the flood');
  for (let at = 0; at < 60; at += 1) {
    truncateSync(path);
    await new Promise((resolve) => setTimeout(resolve, at % 7));
  }
  writeFileSync(go, '');
  assert.equal((await waiting).match?.line, 'the last line');
  await followed.done;
  let next = 0;
  for (const { offset, nextOffset, beginsAt, size } of followed.chunks) {
    // Each chunk goes on where the one before ended, or behind what is gone.
    assert.equal(offset, Math.max(next, beginsAt));
    assert.ok(nextOffset <= size);
    next = nextOffset;
  }
  assert.ok(followed.chunks.at(-1)?.text.endsWith('the last line\n'));
  assert.ok((followed.chunks.at(-1)?.beginsAt ?? 0) > 0);
});

test('our own cut of an ended output is no erasure, even for a reader at that moment', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('seq 1 100000', { keepOutputBytes: 10_000 });
  const looked: OutputChunk[] = [];
  const end = task.wait();
  let isOver = false;
  void end.then(() => {
    isOver = true;
  });
  for (let at = 0; at < 400 && !(isOver && looked.at(-1)?.omittedBytes); at += 1) {
    looked.push(await task.tail({ maxBytes: 20_000 }), await task.read({ offset: 300_000, maxBytes: 10 }));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await end;
  await waitFor(async () => (await task.read({ offset: 300_000, maxBytes: 10 })).omittedBytes > 0, 'the cut');
  assert.deepEqual([...new Set(looked.map(({ beginsAt }) => beginsAt))], [0]);
  assert.equal((await task.tail({ maxBytes: 7 })).text, '100000\n');
});

test('later readers of an ended output that was truncated afterwards are told so', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('seq 1 100');
  await task.wait();
  await session.close();
  const descriptor = openSync(task.snapshot().output.path, 'w');
  writeSync(descriptor, 'not mine\n');
  closeSync(descriptor);
  const later = (await world.session()).task(task.id);
  const { text, offset, beginsAt } = await later.tail();
  assert.deepEqual([text, offset, beginsAt], ['not mine\n', 292, 292]);
});
