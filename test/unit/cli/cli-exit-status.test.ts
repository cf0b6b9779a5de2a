import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exitStatus, statusOfError, statusOfTask } from '../../../src/cli/exit-status.ts';
import { OutliveError } from '../../../src/errors/error.ts';
import type { TaskSnapshot } from '../../../src/model/snapshot.ts';
import type { TaskStatus } from '../../../src/model/words.ts';

test('our own exit statuses are those of the contract', () => {
  assert.deepEqual(exitStatus, {
    ok: 0,
    notSeen: 1,
    usage: 64,
    hostKey: 117,
    outOfReach: 118,
    wouldDie: 119,
    noSuchTask: 120,
    lost: 121,
    stillRunning: 122,
    stopped: 123,
    timedOut: 124,
    failed: 125,
    brokenPipe: 141,
  });
});

test('the exit status of a task is the command’s own, else one for what is known of its end', () => {
  const cases: [TaskStatus, number | null, string | null, number][] = [
    ['completed', 0, null, 0],
    ['failed', 7, null, 7],
    ['failed', 139, null, 139],
    ['failed', null, 'SIGKILL', 137],
    ['failed', null, 'SIGNONE', 125],
    ['failed', null, null, 125],
    ['killed', 143, null, 123],
    ['killed', 0, null, 123],
    ['timed_out', 124, null, 124],
    ['lost', null, null, 121],
    ['queued', null, null, 122],
    ['starting', null, null, 122],
    ['running', null, null, 122],
    ['killing', null, null, 122],
  ];
  for (const [status, exitCode, exitSignal, expected] of cases) {
    const snapshot = { status, exitCode, exitSignal } as TaskSnapshot;
    assert.equal(statusOfTask(snapshot), expected, `${status} ${exitCode} ${exitSignal}`);
  }
});

test('the exit status of an error says: wrong usage, no such task, or a failure of outlive', () => {
  const of = (code: ConstructorParameters<typeof OutliveError>[0]): number =>
    statusOfError(new OutliveError(code, 'x'));
  for (const code of [
    'USAGE',
    'INVALID_ARGUMENT',
    'INVALID_COMMAND',
    'INVALID_CWD',
    'INVALID_ENV',
    'TASK_AMBIGUOUS',
  ] as const)
    assert.equal(of(code), 64, code);
  assert.equal(of('TASK_NOT_FOUND'), 120);
  for (const code of ['TASK_ELSEWHERE', 'STORE_UNWRITABLE', 'SHELL_NOT_FOUND'] as const)
    assert.equal(of(code), 125, code);
  for (const error of [new Error('x'), 'text', undefined]) assert.equal(statusOfError(error), 125);
});
