import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Receipts } from '../../src/mcp/receipts.ts';

function outcome(log: string[], name: string) {
  return { received: () => log.push(`${name} received`), lost: () => log.push(`${name} lost`) };
}

test('an answer counts as received when the next call comes, and not before', () => {
  const [receipts, log] = [new Receipts(), [] as string[]];
  receipts.arrived(1, true);
  receipts.expect(1, outcome(log, 'a'));
  receipts.answered(1);
  assert.deepEqual(log, []);
  receipts.arrived(2, true);
  assert.deepEqual(log, ['a received']);
  receipts.answered(2);
  receipts.arrived(3, true);
  assert.deepEqual(log, ['a received']);
});

test('while a call from before is unanswered, later ones prove nothing', () => {
  const [receipts, log] = [new Receipts(), [] as string[]];
  receipts.arrived(1, true);
  receipts.arrived(2, true);
  receipts.expect(1, outcome(log, 'a'));
  receipts.answered(1);
  receipts.arrived(3, true);
  receipts.answered(3);
  receipts.arrived(4, true);
  assert.deepEqual(log, []);
  receipts.answered(2);
  assert.deepEqual(log, []);
  receipts.arrived(5, true);
  assert.deepEqual(log, ['a received']);
});

test('the answer to a request that was cancelled is lost, once', () => {
  const [receipts, log] = [new Receipts(), [] as string[]];
  receipts.arrived(1, true);
  receipts.expect(1, outcome(log, 'a'));
  receipts.dropped(1);
  receipts.answered(1);
  receipts.arrived(2, true);
  assert.deepEqual(log, ['a lost']);
});

test('a cancelled request does not stand in the way of a proof', () => {
  const [receipts, log] = [new Receipts(), [] as string[]];
  receipts.arrived(1, true);
  receipts.arrived(2, true);
  receipts.expect(1, outcome(log, 'a'));
  receipts.answered(1);
  receipts.dropped(2);
  receipts.arrived(3, true);
  assert.deepEqual(log, ['a received']);
});

test('what was sent unasked is proven by the next call, too', () => {
  const [receipts, log] = [new Receipts(), [] as string[]];
  receipts.wrote([outcome(log, 'a')]);
  receipts.arrived(1, true);
  assert.deepEqual(log, ['a received']);
});

test('a request that is no call proves nothing, and holds nothing up', () => {
  const [receipts, log] = [new Receipts(), [] as string[]];
  receipts.arrived('tasks/result', false);
  receipts.arrived(1, true);
  receipts.expect(1, outcome(log, 'a'));
  receipts.answered(1);
  receipts.arrived('tasks/get', false);
  assert.deepEqual(log, []);
  receipts.arrived(2, true);
  assert.deepEqual(log, ['a received']);
});

test('what an answer would have told is lost at once when its request was cancelled before', () => {
  const [receipts, log] = [new Receipts(), [] as string[]];
  receipts.arrived(1, true);
  receipts.dropped(1);
  receipts.expect(1, outcome(log, 'a'));
  assert.deepEqual(log, ['a lost']);
});
