import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Receipts } from '../../src/mcp/receipts.ts';

function outcome(log: string[], name: string) {
  return { received: () => log.push(`${name} received`), lost: () => log.push(`${name} lost`) };
}

test('an answer counts as received when the next request comes, and not before', () => {
  const [receipts, log] = [new Receipts(), [] as string[]];
  receipts.arrived(1);
  receipts.expect(1, outcome(log, 'a'));
  receipts.answered(1);
  assert.deepEqual(log, []);
  receipts.arrived(2);
  assert.deepEqual(log, ['a received']);
  receipts.answered(2);
  receipts.arrived(3);
  assert.deepEqual(log, ['a received']);
});

test('while a request from before is unanswered, later ones prove nothing', () => {
  const [receipts, log] = [new Receipts(), [] as string[]];
  receipts.arrived(1);
  receipts.arrived(2);
  receipts.expect(1, outcome(log, 'a'));
  receipts.answered(1);
  receipts.arrived(3);
  receipts.answered(3);
  receipts.arrived(4);
  assert.deepEqual(log, []);
  receipts.answered(2);
  assert.deepEqual(log, []);
  receipts.arrived(5);
  assert.deepEqual(log, ['a received']);
});

test('the answer to a request that was cancelled is lost, once', () => {
  const [receipts, log] = [new Receipts(), [] as string[]];
  receipts.arrived(1);
  receipts.expect(1, outcome(log, 'a'));
  receipts.dropped(1);
  receipts.answered(1);
  receipts.arrived(2);
  assert.deepEqual(log, ['a lost']);
});

test('a cancelled request does not stand in the way of a proof', () => {
  const [receipts, log] = [new Receipts(), [] as string[]];
  receipts.arrived(1);
  receipts.arrived(2);
  receipts.expect(1, outcome(log, 'a'));
  receipts.answered(1);
  receipts.dropped(2);
  receipts.arrived(3);
  assert.deepEqual(log, ['a received']);
});

test('what was sent unasked is proven by the next request, too', () => {
  const [receipts, log] = [new Receipts(), [] as string[]];
  receipts.wrote([outcome(log, 'a')]);
  receipts.arrived(1);
  assert.deepEqual(log, ['a received']);
});
