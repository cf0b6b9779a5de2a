import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Fact } from '../../../src/model/facts.ts';
import { foldFacts } from '../../../src/model/fold.ts';
import { snapshotOf } from '../../../src/model/snapshot.ts';
import { arrangements, checkDecision, sequences } from '../model/decide-logs.ts';
import {
  exit,
  outcome,
  proven,
  queuedSpec,
  refused,
  sealedQueuedSpec,
  started,
  stop,
  turn,
  waiting,
} from '../model/sample-facts.ts';

/** Each fact in the life of a queued task, in each variant that matters. */
const variants: readonly (readonly Fact[])[] = [
  [queuedSpec(), sealedQueuedSpec],
  [waiting()],
  [turn()],
  [started()],
  [stop('kill'), stop('timeout')],
  [exit(7), proven('SIGKILL'), refused],
  [outcome()],
];

test('every subset of the facts of a queued task, in every order, is decided as the design says', () => {
  const met = new Set<string>();
  for (const log of arrangements(variants, [])) for (const rule of checkDecision(log)) met.add(rule);
  for (const rule of ['queued', 'elsewhere, queued', 'stopped before it ran', 'spawn aborted'])
    assert.ok(met.has(rule), rule);
});

test('every sequence of up to five facts of a queued task, with repetitions, is decided as the design says', () => {
  const all = [waiting(), turn(), started(), stop('kill'), exit(0), outcome()];
  for (const log of sequences([queuedSpec(), ...all], 5)) checkDecision(log);
  for (const log of sequences([sealedQueuedSpec, ...all, proven(0)], 4)) checkDecision(log);
});

test('a waiting or running task is shown as suspended if it is', () => {
  const reasons = [[], [turn()], [turn(), started()]].map((more) => {
    const { status, statusReason } = snapshot([queuedSpec(), waiting(), ...more]);
    return `${status} ${statusReason}`;
  });
  assert.deepEqual(reasons, ['queued suspended', 'starting suspended', 'running suspended']);
});

test('a waiting task has a shim and no other process yet', () => {
  const waits = snapshot([queuedSpec(), waiting()]);
  assert.deepEqual([waits.pid, waits.shimPid], [null, 501]);
  const runs = snapshot([queuedSpec(), waiting(), turn(), started()]);
  assert.deepEqual([runs.pid, runs.shimPid], [502, 501]);
});

function snapshot(log: Fact[]): ReturnType<typeof snapshotOf> {
  const output = {
    path: '/o',
    stderrPath: null,
    bytes: 0,
    preview: '',
    truncated: false,
    erasedBytes: 0,
    droppedBytes: 0,
    lastWrittenAt: null,
  };
  const task = { taskId: 'bgb-0123abcd0123', sessionId: 'session-1', output };
  const seen = { alive: 'yes', suspended: true, nowMs: 5, modifiedAt: 4 } as const;
  return snapshotOf(foldFacts(log), { ...task, ...seen });
}
