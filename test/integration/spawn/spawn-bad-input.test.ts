import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ErrorCode, SpawnOptions } from '../../../src/index.ts';
import { listing } from '../../support/listing.ts';
import { World } from '../../support/world.ts';

const many = Object.fromEntries(Array.from({ length: 65 }, (_, n) => [`label${n}`, '']));

/** Wrong by type as well as by value: callers may use plain JavaScript. */
const wrong: Readonly<Record<string, [ErrorCode, readonly unknown[]]>> = {
  cwd: ['INVALID_CWD', ['/no/such/folder', '', 'a\0b', 7, null]],
  env: [
    'INVALID_ENV',
    [{ '': 'x' }, { 'a=b': 'x' }, { 'a\0': 'x' }, { OUTLIVE_TASK: 'x' }, { A: 'x\0y' }, { A: 1 }, { A: {} }],
  ],
  shell: ['SHELL_NOT_FOUND', ['no-such-shell', '', '/etc/passwd', '/']],
  name: ['INVALID_ARGUMENT', ['', 'x'.repeat(257), 'ü'.repeat(129), 'a\0', 7, null]],
  labels: [
    'INVALID_ARGUMENT',
    [many, { '': 'x' }, { a: 'x'.repeat(1025) }, { ['k'.repeat(1025)]: '' }, { a: 1 }, [], 'x', null],
  ],
  separate: ['INVALID_ARGUMENT', ['yes', 1, null]],
  timeoutMs: ['INVALID_ARGUMENT', [0, -1, Number.NaN, Number.POSITIVE_INFINITY, '1000', 1e15]],
  graceMs: ['INVALID_ARGUMENT', [-1, Number.NaN, null, '1000', 1e15]],
  leftovers: ['INVALID_ARGUMENT', ['', 'ignore', null, 1]],
  maxOutputBytes: ['INVALID_ARGUMENT', [0, -1, Number.NaN, '1']],
  keepOutputBytes: ['INVALID_ARGUMENT', [0, -1, Number.NaN, '1']],
};

for (const [option, [code, values]] of Object.entries(wrong)) {
  test(`an invalid ${option} is ${code}, and nothing in the store changes`, async () => {
    await using world = new World();
    const session = await world.session();
    const before = listing(world.dir);
    for (const value of values) {
      const options = { [option]: value } as SpawnOptions;
      await assert.rejects(session.spawn('true', options), { name: 'OutliveError', code }, String(value));
    }
    assert.deepEqual(listing(world.dir), before);
  });
}

test('an empty or overlong command, or one with a NUL, is INVALID_COMMAND, and nothing in the store changes', async () => {
  await using world = new World();
  const session = await world.session();
  const before = listing(world.dir);
  const commands: unknown[] = ['', ' \n\t', 'a\0b', 'x'.repeat(16 * 1024 ** 2 + 1), undefined, 7, {}];
  for (const command of commands) {
    await assert.rejects(session.spawn(command as string), { name: 'OutliveError', code: 'INVALID_COMMAND' });
  }
  assert.deepEqual(listing(world.dir), before);
});

test('a working directory that is a file is named in the error, not the shell', async () => {
  await using world = new World();
  const session = await world.session();
  const cwd = join(world.base, 'file');
  writeFileSync(cwd, '');
  await assert.rejects(session.spawn('true', { cwd }), { code: 'INVALID_CWD', message: /found a file/ });
  await assert.rejects(session.spawn('true', { cwd: join(cwd, 'x') }), { code: 'INVALID_CWD' });
  assert.deepEqual(world.taskIds(), []);
});

test('the value of a variable that is refused is not repeated in the error', async () => {
  await using world = new World();
  const session = await world.session();
  await assert.rejects(session.spawn('true', { env: { TOKEN: 'hunter2\0' } }), (error: Error) => {
    assert.match(error.message, /TOKEN/);
    assert.doesNotMatch(`${error.stack}`, /hunter2/);
    return true;
  });
});
