import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Fact } from '../../src/model/facts.ts';
import { foldFacts } from '../../src/model/fold.ts';
import { snapshotOf } from '../../src/model/snapshot.ts';
import { arrangements, checkDecision, sequences } from './decide-logs.ts';
import { exit, outcome, queuedSpec, reaped, started, stop, turn, waiting } from './sample-facts.ts';

/** Each fact in the life of a queued task, in each variant that matters. */
const variants: readonly (readonly Fact[])[] = [
  [queuedSpec()],
  [waiting()],
  [turn()],
  [started()],
  [stop('kill'), stop('timeout')],
  [exit(7)],
  [reaped(143), reaped('SIGKILL')],
  [outcome()],
];

test('of a queued task, too, every subset of the facts in every order is decided as the design says', () => {
  const met = new Set<string>();
  for (const log of arrangements(variants, [])) for (const rule of checkDecision(log)) met.add(rule);
  for (const rule of ['queued', 'elsewhere, queued', 'stopped before it ran', 'spawn aborted'])
    assert.ok(met.has(rule), rule);
});

test('so is every sequence of up to five, repeated ones too', () => {
  const all = [queuedSpec(), waiting(), turn(), started(), stop('kill'), exit(0), outcome()];
  for (const log of sequences(all, 5)) checkDecision(log);
});

test('a shim that has suspended itself until its turn is not shown as suspended; one that runs is', () => {
  const reasons = [[], [turn()], [turn(), started()]].map((more) => {
    const { status, statusReason } = snapshot([queuedSpec(), waiting(), ...more]);
    return `${status} ${statusReason}`;
  });
  assert.deepEqual(reasons, ['queued null', 'starting null', 'running suspended']);
});

test('the pid of a task that waits is that of its shim', () => {
  assert.equal(snapshot([queuedSpec(), waiting()]).pid, 501);
});

test('the start time of a shim that could not read it counts for one that waits as well', () => {
  const unread = waiting({ start: null });
  const log: Fact[] = [queuedSpec(), unread, { fact: 'identified', pid: 501, start: 9 }];
  assert.equal(foldFacts(log).waiting?.start, 9);
});

function snapshot(log: Fact[]): ReturnType<typeof snapshotOf> {
  const output = {
    path: '/o',
    stderrPath: null,
    bytes: 0,
    preview: '',
    truncated: false,
    lastWrittenAt: null,
  };
  const task = { taskId: 'bgb-0123abcd', sessionId: 'session-1', output };
  const seen = { alive: 'yes', suspended: true, pid: null, nowMs: 5, modifiedAt: 4 } as const;
  return snapshotOf(foldFacts(log), { ...task, ...seen });
}
