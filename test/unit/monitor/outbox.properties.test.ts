import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import fc from 'fast-check';
import { Outbox, type StoreChange } from '../../../src/engine/monitor/outbox.ts';
import { foldFacts } from '../../../src/model/fold.ts';
import { snapshotOf, type TaskSnapshot } from '../../../src/model/snapshot.ts';
import { spec } from '../model/sample-facts.ts';

/** A task with a name that tells one state of it from another. */
function snapshot(taskId: string, name: string): TaskSnapshot {
  const output = {
    ...{ path: '', stderrPath: null, bytes: 0, erasedBytes: 0, droppedBytes: 0 },
    ...{ lastWrittenAt: null, preview: '', truncated: false },
  };
  const facts = foldFacts([spec({ name })]);
  const now = { nowMs: 0, modifiedAt: 0, monoMs: 0, suspended: false, isCopy: false, isPartial: false };
  return snapshotOf(facts, { taskId, sessionId: 's', alive: 'yes', output, ...now });
}

const anyId = fc.constantFrom('bgb-000000010000', 'bgb-000000020000', 'bgb-000000030000');
const anyChange: fc.Arbitrary<StoreChange> = fc.oneof(
  fc
    .tuple(anyId, fc.nat(9))
    .map(([id, name]) => ({ type: 'changed', task: snapshot(id, `${name}`) }) as const),
  anyId.map((taskId) => ({ type: 'gone', taskId, sessionId: 's' }) as const),
  fc.constantFrom('made', 'removed').map((state) => ({ type: 'session', sessionId: 's', state }) as const),
  fc.nat(9).map((sampleMs) => ({ type: 'usage', usage: {}, ports: {}, sampleMs }) as const),
);

/** What somebody knows who has been told some changes: of each task its name, whether the session is there, and the newest usage. */
function apply(known: Map<string, string>, change: StoreChange): void {
  if (change.type === 'changed') known.set(change.task.taskId, change.task.name ?? '');
  else if (change.type === 'gone') known.delete(change.taskId);
  else if (change.type === 'usage') known.set('usage', `${change.sampleMs}`);
  else if (change.state === 'made') known.set('session', 'there');
  else known.delete('session');
}

test('a reader of any speed ends up with the same state as one that is told every change', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(anyChange, fc.nat(3))), (script) => {
      const outbox = new Outbox();
      const [told, truth] = [new Map<string, string>(), new Map<string, string>()];
      for (const [change, taken] of script) {
        outbox.put(change);
        apply(truth, change);
        for (let count = 0; count < taken; count += 1) {
          const next = outbox.take();
          if (next !== undefined) apply(told, next);
        }
      }
      let waiting = 0;
      for (let next = outbox.take(); next !== undefined; next = outbox.take()) {
        apply(told, next);
        waiting += 1;
      }
      assert.deepEqual([...told].sort(), [...truth].sort());
      assert.ok(waiting <= 5, 'one change a task, one of the session, and one of the usage');
    }),
    { numRuns: 2_000 },
  );
});

test('a change or an abort wakes a waiting reader', async () => {
  const outbox = new Outbox();
  const waiting = outbox.next(undefined);
  outbox.put({ type: 'gone', taskId: 'bgb-000000010000', sessionId: 's' });
  await waiting;
  assert.equal(outbox.take()?.type, 'gone');
  assert.equal(outbox.take(), undefined);
  const over = new AbortController();
  for (let count = 0; count < 20; count += 1) {
    const next = outbox.next(over.signal);
    outbox.put({ type: 'gone', taskId: 'bgb-000000010000', sessionId: 's' });
    await next;
    outbox.take();
  }
  assert.equal(
    getEventListeners(over.signal, 'abort').length,
    0,
    'who has waited often holds nothing of the signal',
  );
  const aborted = outbox.next(over.signal);
  over.abort();
  await aborted;
  await outbox.next(over.signal);
});
