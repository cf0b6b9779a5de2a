import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Outcome, Receipts, type Way } from '../../../src/tools/delivery/receipts.ts';

/** Receipts on clocks that stand still until a test moves them. */
class Trial {
  readonly log: string[] = [];
  readonly receipts: Receipts;
  epochMs = 1_000_000;
  monoMs = 5_000;

  constructor(way: Way = 'pipe') {
    this.receipts = new Receipts(way, () => ({ epochMs: this.epochMs, monoMs: this.monoMs }));
  }

  pass(ms: number): void {
    this.epochMs += ms;
    this.monoMs += ms;
  }

  sleep(ms: number): void {
    this.epochMs += ms;
  }

  outcome(name: string): Outcome {
    return {
      followed: (isSure) => void this.log.push(`${name} ${isSure ? 'read' : 'doubtful'}`),
      lost: () => this.log.push(`${name} lost`),
    };
  }

  /** A call that comes; with a name, its answer will tell of an end. */
  call(id: number, name?: string, hearer: string | null = null): void {
    this.receipts.arrived(id, true, hearer);
    if (name !== undefined) this.receipts.expect(id, this.outcome(name));
  }

  answer(...ids: number[]): void {
    for (const id of ids) this.receipts.answered(id);
  }

  /** A whole call, whose answer is prompt. */
  round(id: number, name?: string): void {
    this.call(id, name);
    this.answer(id);
  }
}

test('an answer counts as read when the next call comes, and not before', () => {
  const trial = new Trial();
  trial.round(1, 'a');
  assert.deepEqual(trial.log, []);
  trial.round(2);
  assert.deepEqual(trial.log, ['a read']);
  trial.round(3);
  assert.deepEqual(trial.log, ['a read']);
});

test('while an earlier call is unanswered, later ones prove nothing', () => {
  const trial = new Trial();
  trial.call(1, 'a');
  trial.call(2);
  trial.answer(1);
  trial.round(3);
  trial.call(4);
  assert.deepEqual(trial.log, []);
  trial.answer(2, 4);
  trial.round(5);
  trial.round(6);
  assert.deepEqual(trial.log, ['a read']);
});

test('a late answer is doubtful: its client may have given up silently', () => {
  const trial = new Trial();
  trial.call(1, 'a');
  trial.pass(2_001);
  trial.answer(1);
  trial.call(2);
  assert.deepEqual(trial.log, ['a doubtful']);
});

test('an answer within two seconds counts as prompt', () => {
  const trial = new Trial();
  trial.call(1, 'a');
  trial.pass(2_000);
  trial.answer(1);
  trial.pass(3_600_000);
  trial.call(2);
  assert.deepEqual(trial.log, ['a read']);
});

test('an answer is doubtful when the machine slept during the call, or between the answer and the next call', () => {
  const trial = new Trial();
  trial.call(1, 'a');
  trial.sleep(60_000);
  trial.answer(1);
  trial.call(2, 'b');
  trial.answer(2);
  trial.sleep(60_000);
  trial.call(3);
  assert.deepEqual(trial.log, ['a doubtful', 'b doubtful']);
});

test('a cancelled request counts as lost once, before the answer or after it', () => {
  const before = new Trial();
  before.call(1, 'a');
  before.receipts.dropped(1);
  before.answer(1);
  before.round(2);
  before.receipts.dropped(1);
  assert.deepEqual(before.log, ['a lost']);
  const after = new Trial();
  after.round(1, 'a');
  after.receipts.dropped(1);
  after.receipts.dropped(1);
  after.round(2);
  assert.deepEqual(after.log, ['a lost']);
});

test('a cancel that comes after the proof is reported, too', () => {
  const trial = new Trial();
  trial.round(1, 'a');
  trial.round(2);
  trial.receipts.dropped(1);
  assert.deepEqual(trial.log, ['a read', 'a lost']);
});

test('a client that cancels each call after its answer has read the answer', () => {
  const trial = new Trial();
  for (const id of [1, 2, 3, 4]) {
    trial.round(id, `${id}`);
    trial.receipts.dropped(id);
  }
  trial.round(5);
  assert.deepEqual(trial.log, ['1 lost', '2 read', '3 read', '4 read']);
  // One that stops doing so means it again.
  for (const id of [6, 7, 8]) trial.round(id);
  trial.round(9, '9');
  trial.receipts.dropped(9);
  assert.equal(trial.log.at(-1), '9 lost');
});

test('for a client that is known to do so such a cancel does not count, but a cancel before the answer does', () => {
  const trial = new Trial();
  trial.receipts.cancelsEach();
  trial.round(1, 'a');
  trial.receipts.dropped(1);
  trial.round(2);
  trial.call(3, 'b');
  trial.receipts.dropped(3);
  assert.deepEqual(trial.log, ['a read', 'b lost']);
});

test('the last 64 answers can be cancelled, but not older ones', () => {
  const trial = new Trial();
  trial.round(1, 'a');
  trial.round(2, 'b');
  for (let id = 3; id <= 66; id += 1) trial.round(id);
  for (const id of [1, 2, 3]) trial.receipts.dropped(id);
  assert.deepEqual(trial.log, ['a read', 'b read']);
  for (let id = 3; id <= 66; id += 1) trial.receipts.dropped(id);
  assert.deepEqual(trial.log, ['a read', 'b read']);
  trial.round(70, 'c');
  for (let id = 71; id <= 133; id += 1) trial.round(id);
  trial.receipts.dropped(70);
  assert.deepEqual(trial.log, ['a read', 'b read', 'c read', 'c lost']);
});

test('undecided answers are kept, however many answers come after them', () => {
  const trial = new Trial();
  trial.receipts.arrived('poll', false);
  trial.receipts.expect('poll', trial.outcome('a'));
  for (let id = 1; id <= 200; id += 1) {
    trial.receipts.arrived(`poll-${id}`, false);
    trial.receipts.expect(`poll-${id}`, trial.outcome(`p${id}`));
    trial.receipts.answered(`poll-${id}`);
  }
  trial.receipts.answered('poll');
  trial.round(1);
  trial.round(2);
  assert.equal(trial.log.length, 201);
  assert.ok(trial.log.includes('a read'));
});

test('of more than a thousand unread ends, the oldest is told again', () => {
  const trial = new Trial();
  for (let id = 1; id <= 1_001; id += 1) trial.receipts.wrote([trial.outcome(`${id}`)]);
  assert.deepEqual(trial.log, ['1 lost']);
});

test('a cancelled call does not prevent a proof', () => {
  const trial = new Trial();
  trial.call(1, 'a');
  trial.call(2);
  trial.answer(1);
  trial.receipts.dropped(2);
  trial.round(3);
  trial.round(4);
  assert.deepEqual(trial.log, ['a read']);
});

test('ends that an answer would have told are lost at once if its request was cancelled before', () => {
  const trial = new Trial();
  trial.call(1);
  trial.receipts.dropped(1);
  trial.receipts.expect(1, trial.outcome('a'));
  assert.deepEqual(trial.log, ['a lost']);
});

test('a call that was sent before a push or a poll answer was read does not prove them read', () => {
  const trial = new Trial();
  trial.receipts.wrote([trial.outcome('push')]);
  trial.receipts.arrived('poll', false);
  trial.receipts.expect('poll', trial.outcome('poll'));
  trial.receipts.answered('poll');
  trial.call(1);
  assert.deepEqual(trial.log, []);
  trial.answer(1);
  trial.call(2);
  assert.deepEqual(trial.log, ['push read', 'poll read']);
});

test('polls prove nothing, and delay nothing', () => {
  const trial = new Trial();
  trial.receipts.arrived('poll', false);
  trial.round(1, 'a');
  trial.receipts.arrived('another', false);
  assert.deepEqual(trial.log, []);
  trial.call(2);
  assert.deepEqual(trial.log, ['a read']);
});

test('once two calls have overlapped, an answer counts as read when a later answer does', () => {
  const trial = new Trial();
  trial.call(1);
  trial.call(2);
  trial.answer(1, 2);
  trial.round(3, 'a');
  trial.call(4);
  assert.deepEqual(trial.log, []);
  trial.answer(4);
  trial.call(5);
  assert.deepEqual(trial.log, ['a read']);
});

test('a later answer that came late proves nothing about earlier ones', () => {
  const trial = new Trial();
  trial.receipts.wrote([trial.outcome('push')]);
  trial.call(1);
  trial.pass(5_000);
  trial.answer(1);
  trial.round(2);
  assert.deepEqual(trial.log, []);
  trial.round(3);
  assert.deepEqual(trial.log, ['push read']);
});

test('a call of another subagent proves nothing, and does not delay a proof', () => {
  const trial = new Trial();
  trial.call(1, 'main');
  trial.call(2, 'sub', 'sub');
  trial.answer(1);
  trial.call(3);
  // Two calls have overlapped on the pipe, so one more answer of the main agent is needed.
  trial.answer(3);
  assert.deepEqual(trial.log, []);
  trial.call(4);
  assert.deepEqual(trial.log, ['main read']);
  trial.answer(2);
  trial.round(5);
  trial.round(6);
  assert.deepEqual(trial.log, ['main read']);
});

test('over HTTP each answer is proven by the next call, however long it took, and without an order', () => {
  const trial = new Trial('http');
  trial.receipts.arrived('poll', false);
  trial.receipts.expect('poll', trial.outcome('poll'));
  trial.receipts.answered('poll');
  trial.call(1, 'a');
  assert.deepEqual(trial.log, ['poll read']);
  trial.pass(60_000);
  trial.answer(1);
  trial.call(2);
  assert.deepEqual(trial.log, ['poll read', 'a read']);
});
