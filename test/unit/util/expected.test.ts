import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { test } from 'node:test';
import { OutliveError } from '../../../src/errors/error.ts';
import { expected, isExpected, isForeseen, tolerate } from '../../../src/errors/expected.ts';
import { onWarning, sayWarning } from '../../../src/errors/warnings.ts';

function systemError(path = '/no/such/file'): NodeJS.ErrnoException {
  try {
    statSync(path);
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
  return assert.fail();
}

const mistakes = [
  new TypeError('x is undefined'),
  new RangeError('too long'),
  // Node's own, for what a program has done wrong.
  Object.assign(new TypeError('path'), { code: 'ERR_INVALID_ARG_VALUE' }),
  Object.assign(new Error('made up'), { code: 'ENOENT' }),
  'a text',
  undefined,
];

/** What is warned of while something is done. No listener of the tests themselves hears it. */
function warningsOf(work: () => void): string[] {
  const said: string[] = [];
  const stop = onWarning((warning) => said.push(sayWarning(warning)) > 0);
  try {
    work();
  } finally {
    stop();
  }
  return said;
}

test('an error is expected by its code, if it is a system error or one of ours', () => {
  const codes = expected('absent', 'EIO', 'READ_FAILED');
  assert.ok(isExpected(systemError(), codes));
  assert.ok(isExpected(new OutliveError('READ_FAILED', ''), codes));
  assert.ok(!isExpected(new OutliveError('CLOSED', ''), codes));
  assert.ok(!isExpected(systemError(), expected('refused')));
  for (const mistake of mistakes) assert.ok(!isExpected(mistake, codes) && !isForeseen(mistake));
});

test('an expected error is tolerated silently, and a bug is rethrown', () => {
  const said = warningsOf(() => {
    tolerate(systemError(), expected('absent'), 'looking');
    for (const mistake of mistakes) {
      let thrown: unknown = 'nothing';
      try {
        tolerate(mistake, expected('absent', 'refused'), 'looking');
      } catch (error) {
        thrown = error;
      }
      assert.equal(thrown, mistake);
    }
  });
  assert.deepEqual(said, []);
});
