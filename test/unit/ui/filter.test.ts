import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filterOf, isWithin } from '../../../src/ui/page/filter.ts';
import type { TaskRow } from '../../../src/ui/protocol.ts';

const base: TaskRow = {
  taskId: 'bgb-0123456789ab',
  sessionId: 'work on web',
  name: 'Build',
  command: 'npm run build',
  cwd: '/home/me/web',
  status: 'failed',
  statusReason: null,
  exitCode: 3,
  exitSignal: null,
  createdAt: 1_000,
  startedAt: 1_000,
  endedAt: 5_000,
  lastSeenAt: null,
  bytes: 0,
  separate: false,
  tty: false,
  leftovers: 0,
  delivered: false,
  labels: { team: 'Web' },
};

const meant: readonly string[] = [
  '',
  'build',
  'BUILD web',
  'status:failed',
  'session:web',
  'session:"work on"',
  'label:team',
  'label:team=web',
  'is:ended',
  'is:pending',
  '-status:completed',
  '-session:other build',
  '"run build"',
  '0123456789ab',
  '-',
];
const notMeant: readonly string[] = [
  'deploy',
  'build deploy',
  'status:fail',
  'session:other',
  'label:tea',
  'label:team=we',
  'is:live',
  'is:nothing',
  '-build',
  '"build run"',
];

test('the words of the filter match what they should', () => {
  for (const text of meant) assert.equal(filterOf(text)(base), true, text);
  for (const text of notMeant) assert.equal(filterOf(text)(base), false, text);
});

test('a name is found by its shown form', () => {
  const row = { ...base, name: 'a\u202eb' };
  assert.equal(filterOf('\\u{202e}')(row), true);
});

test('a task is within a span if it ran during part of it', () => {
  const now = 9_000;
  assert.equal(isWithin(base, null, now), true);
  assert.equal(isWithin(base, { from: 4_000, to: 6_000 }, now), true);
  assert.equal(isWithin(base, { from: 5_001, to: 6_000 }, now), false);
  assert.equal(
    isWithin({ ...base, status: 'running', endedAt: null }, { from: 8_000, to: 8_500 }, now),
    true,
  );
  assert.equal(isWithin({ ...base, status: 'lost', endedAt: null }, { from: 8_000, to: 8_500 }, now), false);
});
