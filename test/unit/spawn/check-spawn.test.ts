import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { checkSpawn, type SpawnOptions } from '../../../src/engine/spawn/spawn-request.ts';
import { OutliveError } from '../../../src/errors/error.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';

const folder = mkdtempSync(join(tmpdir(), 'outlive-check-'));
after(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'file');
writeFileSync(file, 'text');

const mebi = 1024 ** 2;
const century = 100 * 365 * 24 * 3_600_000;
const many = Object.fromEntries(Array.from({ length: 65 }, (_none, index) => [`k${index}`, '']));

// A caller in JavaScript may hand over anything.
const refused: Record<string, readonly (readonly [command: unknown, options: unknown])[]> = {
  INVALID_COMMAND: [
    ['', {}],
    [' \n\t', {}],
    ['a\0b', {}],
    ['é'.repeat(8 * mebi + 1), {}],
    [undefined, {}],
    [7, {}],
    [[], {}],
    [[''], {}],
    [['ls', 7], {}],
    [['ls', 'a\0b'], {}],
  ],
  INVALID_CWD: [
    ['ls', { cwd: join(folder, 'none') }],
    ['ls', { cwd: file }],
    ['ls', { cwd: join(file, 'below') }],
    ['ls', { cwd: '' }],
    ['ls', { cwd: 'a\0b' }],
    ['ls', { cwd: null }],
    ['ls', { cwd: 7 }],
  ],
  INVALID_ENV: [
    ['ls', { env: { '': 'x' } }],
    ['ls', { env: { 'A=B': 'x' } }],
    ['ls', { env: { 'A\0': 'x' } }],
    ['ls', { env: { A: 'x\0y' } }],
    ['ls', { env: { A: 7 } }],
    ['ls', { env: { OUTLIVE_TASK: 'x' } }],
    ['ls', { env: 'A=B' }],
    ['ls', { env: null }],
    ['ls', { env: ['A=B'] }],
  ],
  SHELL_NOT_FOUND: [
    ['ls', { shell: 'no-such-shell' }],
    ['ls', { shell: join(folder, 'none') }],
    ['ls', { shell: file }],
    ['ls', { shell: folder }],
    ['ls', { shell: './sh' }],
    ['ls', { shell: '' }],
    ['ls', { shell: 'sh\0' }],
  ],
  INVALID_ARGUMENT: [
    [['ls'], { shell: 'sh' }],
    ['ls', { name: '' }],
    ['ls', { name: 'é'.repeat(129) }],
    ['ls', { name: 'a\0b' }],
    ['ls', { name: null }],
    ['ls', { labels: null }],
    ['ls', { labels: ['a'] }],
    ['ls', { labels: 'a=b' }],
    ['ls', { labels: many }],
    ['ls', { labels: { a: 7 } }],
    ['ls', { labels: { '': 'x' } }],
    ['ls', { labels: { a: 'x'.repeat(1025) } }],
    ['ls', { separate: 'yes' }],
    ['ls', { timeoutMs: 0 }],
    ['ls', { timeoutMs: -1 }],
    ['ls', { timeoutMs: Number.NaN }],
    ['ls', { timeoutMs: Number.POSITIVE_INFINITY }],
    ['ls', { timeoutMs: century + 1 }],
    ['ls', { timeoutMs: '10s' }],
    ['ls', { graceMs: -1 }],
    ['ls', { graceMs: null }],
    ['ls', { leftovers: 'ignore' }],
    ['ls', { maxOutputBytes: 0 }],
    ['ls', { maxOutputBytes: '1g' }],
    ['ls', { keepOutputBytes: 0 }],
    ['ls', { keepOutputBytes: Number.POSITIVE_INFINITY }],
    ['ls', { onLimit: 'wait' }],
    ['ls', { onLimit: null }],
    ['ls', { memoryBytes: 4 * mebi - 1 }],
    ['ls', { memoryBytes: 1e300 }],
    ['ls', { memoryBytes: null }],
    ['ls', { cpuSeconds: 0 }],
    ['ls', { cpuSeconds: 1.5 }],
    ['ls', { cpuSeconds: '9' }],
    ['ls', { processes: 0 }],
    ['ls', { processes: 2 ** 22 + 1 }],
    ['ls', { niceness: 20 }],
    ['ls', { niceness: -21 }],
    ['ls', { niceness: 0.5 }],
    ['ls', { shell: 7 }],
    ['ls', { shell: null }],
  ],
};

for (const [code, inputs] of Object.entries(refused)) {
  test(`an invalid spawn is refused before anything starts: ${code}`, () => {
    for (const [command, options] of inputs) {
      const given = JSON.stringify([String(command).slice(0, 20), options]);
      assert.throws(
        () => checkSpawn(command as string, options as SpawnOptions),
        (error) => error instanceof OutliveError && error.code === code && explains(error.message),
        given,
      );
    }
  });
}

test('no message contains the value of a variable, which may be a secret', () => {
  assert.throws(
    () => checkSpawn('ls', { env: { TOKEN: 'hunter2\0' } }),
    (error: OutliveError) => error.message.includes('TOKEN') && !error.message.includes('hunter2'),
  );
});

test(
  'omitted options have their defaults',
  notOnWindows('the default shell is another; see windows-shells.test.ts'),
  () => {
    const { environment, asked, ...request } = checkSpawn('ls', { shell: 'sh' });
    assert.deepEqual(request, {
      cwd: process.cwd(),
      name: null,
      labels: {},
      launcher: [],
      separate: false,
      timeoutMs: 30 * 60_000,
      graceMs: 3_000,
      leftovers: 'report',
      maxOutputBytes: 1024 ** 3,
      keepOutputBytes: 100 * mebi,
      onLimit: 'reject',
      key: null,
      onExit: null,
      output: 'file',
      stdin: 'none',
      tty: null,
      after: null,
      bindTo: null,
      resources: {},
      undecoded: [],
      replace: false,
      replaces: null,
      inPlaceOf: null,
      unbuffered: false,
      maxRunning: null,
      setNames: [],
      unsetNames: [],
      watches: [],
      starter: null,
    });
    assert.deepEqual(environment, { ...process.env });
    assert.deepEqual([asked.command, asked.words], ['ls', null]);
    assert.match(asked.shell ?? '', /^\/.*\/sh$/);
  },
);

test('variables are added to the environment of this process, or removed from it', () => {
  const { environment } = checkSpawn('ls', { env: { PATH: null, HOME: undefined, ADDED: 'x', EMPTY: '' } });
  assert.equal('PATH' in environment || 'HOME' in environment, false);
  assert.equal(environment.ADDED, 'x');
  assert.equal(environment.EMPTY, '');
});

test('the bounds themselves are allowed', () => {
  const command = 'x'.repeat(16 * mebi);
  const request = checkSpawn(command, { timeoutMs: century, graceMs: 0, name: 'x'.repeat(256), cwd: '.' });
  assert.equal(request.asked.command.length, command.length);
  assert.equal(request.cwd, process.cwd());
  assert.equal(checkSpawn('ls', { timeoutMs: null, maxOutputBytes: null }).timeoutMs, null);
});

/** What was expected, what was found. */
function explains(message: string): boolean {
  return /^expected .*; found /s.test(message);
}
