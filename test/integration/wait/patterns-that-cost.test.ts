import assert from 'node:assert/strict';
import { appendFileSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { RE2JS } from 're2js';
import { compilePattern } from '../../../src/engine/watches/compile-pattern.ts';
import type { PendingMatch } from '../../../src/index.ts';
import { turnSteps } from '../../../src/model/pattern-cost.ts';
import { World, waitFor } from '../../support/world.ts';

/** Nearly as costly as a pattern may be; it matches none of the output below. */
const costly = `${'[ab]?'.repeat(450)}[yz]`;

/** Counts what the engine is asked to search in each turn of the event loop, as characters. */
class Counter implements Disposable {
  readonly #test = RE2JS.prototype.test;
  #now = 0;
  #isOver = false;
  most = 0;
  all = 0;
  turns = 0;

  constructor() {
    const count = (text: string): void => {
      this.#now += text.length;
      this.all += text.length;
    };
    const original = this.#test;
    RE2JS.prototype.test = function (this: RE2JS, text: string): boolean {
      count(text);
      return original.call(this, text);
    };
    const tick = (): void => {
      this.most = Math.max(this.most, this.#now);
      if (this.#now > 0) this.turns += 1;
      this.#now = 0;
      if (!this.#isOver) setImmediate(tick);
    };
    setImmediate(tick);
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    RE2JS.prototype.test = this.#test;
  }
}

test('however many expensive searches run, a turn of the event loop takes no longer than one of them may', async () => {
  await using world = new World();
  const session = await world.session();
  // Short lines, and one of 60 KB.
  const command = `yes abbaab | head -n 3000; yes ab | head -n 30000 | tr -d '\\n'; echo; echo done`;
  const task = await session.spawn(command);
  await task.wait();
  const { steps, pieceBytes, stretchBytes } = await compilePattern({ regexp: costly, flags: '' });
  assert.ok(steps > 800 && steps <= 1_000, `${steps}`);
  const lastJob = (pieceBytes + 2 * stretchBytes) * steps;
  assert.ok(lastJob <= 400 * 1024, `${lastJob} steps`);
  using counter = new Counter();
  const waits = Array.from({ length: 12 }, () => task.waitFor({ pattern: { regexp: costly } }));
  const watches = Array.from({ length: 12 }, async () => {
    for await (const match of task.watch({ regexp: costly })) assert.fail(`found ${match.line}`);
  });
  const results = await Promise.all(waits);
  await Promise.all(watches);
  assert.ok(results.every(({ cause }) => cause === 'exit'));
  assert.ok(counter.all >= 24 * 78_000, `${counter.all} characters`);
  // The last job of a turn may go over its bound: by a piece of a line, the stretch that was added, and what is left of it.
  const most = turnSteps + lastJob;
  assert.ok(counter.most * steps <= most, `${counter.most} characters in a turn`);
  assert.ok(counter.turns >= (counter.all * steps) / most, `${counter.turns} turns`);
});

test('the rest of an output at its end is searched, and for an unnoticeable time', async () => {
  await using world = new World();
  const session = await world.session();
  const go = `${world.base}/go`;
  const task = await session.spawn(
    `until [ -e ${go} ]; do sleep 0.01; done; yes abbaab | head -n 200000; echo y`,
  );
  const waits = Array.from({ length: 8 }, () => task.waitFor({ pattern: { regexp: costly } }));
  appendFileSync(go, '');
  for (const { cause, match } of await Promise.all(waits))
    assert.deepEqual([cause, match?.text], ['pattern', 'y']);
});

test('a pattern that costs too much is refused before anything is done', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('echo a; exec sleep 1000');
  await task.waitFor({ pattern: 'a' });
  const before = readFileSync(world.logOf(task.id), 'utf8');
  const refused = {
    name: 'OutliveError',
    code: 'INVALID_ARGUMENT',
    message: /at most 1000 steps for a character/,
  };
  for (const pattern of ['a?'.repeat(2_000), '(?:ab?c?){0,500}', '\\pL{600}\\pN{600}'].map((regexp) => ({
    regexp,
  }))) {
    await assert.rejects(task.waitFor({ pattern }), refused);
    await assert.rejects(task.addWatch(pattern), refused);
    await assert.rejects(task.watch(pattern).next(), refused);
    await assert.rejects(session.waitAny([task], { pattern }), refused);
  }
  assert.equal(readFileSync(world.logOf(task.id), 'utf8'), before);
});

test('a watch with a too expensive pattern that a task writes into its own record harms nobody else', async () => {
  await using world = new World();
  const session = await world.session();
  const [bad, good] = [
    await session.spawn('exec sleep 1000'),
    await session.spawn('echo ready; exec sleep 1000'),
  ];
  await good.addWatch('ready');
  await good.waitFor({ pattern: 'ready' });
  const forged = (id: string, regexp: string): string =>
    `${JSON.stringify({ fact: 'watch', id, pattern: { regexp, flags: '' }, stream: 'stdout', from: 0, at: 1 })}\n`;
  appendFileSync(world.logOf(bad.id), `\n${forged('huge', 'a?'.repeat(100_000))}${forged('broken', '(')}`);
  // A task has a bounded number of watches, whatever its record says.
  appendFileSync(
    world.logOf(bad.id),
    Array.from({ length: 500 }, (_none, at) => forged(`w${at}`, 'x')).join(''),
  );
  await waitFor(() => bad.watches().length > 0, 'the forged watches');
  assert.equal(bad.watches().length, 16);
  const found: PendingMatch[] = [];
  for await (const match of session.matches({ wait: false })) found.push(match);
  assert.deepEqual(
    found.map(({ text }) => text),
    ['ready'],
  );
});
