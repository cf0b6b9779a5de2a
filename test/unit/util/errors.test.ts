import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { errorCodes, OutliveError } from '../../../src/errors/error.ts';
import { root } from '../../support/repository.ts';

test('docs/errors.md has a row for each error code, in the same order, and for no other', () => {
  const rows = readFileSync(join(root, 'docs/errors.md'), 'utf8').match(/^\| `[A-Z_]+` \|.*$/gm) ?? [];
  assert.deepEqual(
    rows.map((row) => row.split('`')[1]),
    Object.keys(errorCodes),
  );
});

test('docs/errors.md says the same about each code as the library, and what to do', () => {
  const page = readFileSync(join(root, 'docs/errors.md'), 'utf8');
  for (const [code, meaning] of Object.entries(errorCodes)) {
    const [, , found, advice] = (page.split('\n').find((row) => row.includes(`| \`${code}\` |`)) ?? '').split(
      '|',
    );
    assert.equal(found?.trim(), meaning, code);
    assert.ok((advice?.trim().length ?? 0) > 0, `nothing to do about ${code}`);
  }
});

test('the codes are pinned: none is renamed or removed', () => {
  assert.deepEqual(Object.keys(errorCodes), [
    'INVALID_ARGUMENT',
    'INVALID_COMMAND',
    'INVALID_CWD',
    'INVALID_ENV',
    'SHELL_NOT_FOUND',
    'SHIM_UNAVAILABLE',
    'NAME_TAKEN',
    'NOT_STOPPED',
    'TASK_LIMIT',
    'DISK_LOW',
    'TASK_NOT_FOUND',
    'TASK_AMBIGUOUS',
    'TASK_ENDED',
    'TASK_ELSEWHERE',
    'INPUT_CLOSED',
    'INPUT_FULL',
    'NO_TERMINAL',
    'STORE_VERSION',
    'STORE_CORRUPT',
    'STORE_UNSAFE',
    'STORE_UNWRITABLE',
    'READ_FAILED',
    'WOULD_DIE',
    'PRINT_FAILED',
    'CONFIG_UNUSABLE',
    'SPAWN_FAILED',
    'CLOSED',
    'UNSUPPORTED_PLATFORM',
    'HOST_UNREACHABLE',
    'HOST_KEY',
    'HOST_PROGRAM',
    'CONNECTION_LOST',
    'FLEET_PACKAGES',
    'FLEET_UNREACHABLE',
    'FLEET_REFUSED',
    'FLEET_FORGED',
    'FLEET_BUSY',
    'FLEET_CREDENTIALS',
    'FLEET_HOST',
    'USAGE',
    'INTERNAL',
  ]);
});

test('an error carries its code, its cause and facts for programs, and is one of ours', () => {
  const cause = new Error('disk');
  const error = new OutliveError('TASK_NOT_FOUND', 'expected ...', {
    cause,
    details: { taskId: 'bgb-0123abcd0123' },
  });
  assert.ok(error instanceof Error && error instanceof OutliveError);
  assert.equal(error.name, 'OutliveError');
  assert.equal(error.code, 'TASK_NOT_FOUND');
  assert.equal(error.message, 'expected ...');
  assert.equal(error.cause, cause);
  assert.deepEqual(error.details, { taskId: 'bgb-0123abcd0123' });
});

test('an error without a cause or facts has no cause and an empty object', () => {
  const error = new OutliveError('CLOSED', 'expected ...');
  assert.equal('cause' in error, false);
  assert.deepEqual(error.details, {});
});
