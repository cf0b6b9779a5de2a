import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { InvalidArgumentError } from 'commander';
import fc from 'fast-check';
import * as values from '../../../src/cli/values.ts';
import { commandOf } from '../../../src/util/quote.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';
import { onWindows } from '../../support/processes.ts';

/** All of these are refused with a word on what was expected. */
function refuses(parse: (text: string) => unknown, texts: readonly string[]): void {
  for (const text of texts) {
    assert.throws(
      () => parse(text),
      (error) => error instanceof InvalidArgumentError && error.message.startsWith('Expected '),
      JSON.stringify(text),
    );
  }
}

test('a duration is a number with a unit; "none" is allowed where there may be no limit', () => {
  const cases = {
    '500ms': 500,
    '10s': 10_000,
    '1.5m': 90_000,
    '30m': 1_800_000,
    '2H': 7_200_000,
    ' 0s ': 0,
    '7d': 604_800_000,
  };
  for (const [text, ms] of Object.entries(cases)) assert.equal(values.duration(text), ms, text);
  refuses(values.duration, ['', '10', '-1s', 's', '1 s', '1e3s', 'none', 'Infinity', '1m30s', '٣s', '10s x']);
  // `ms` itself gives nothing for it, which would be the default.
  refuses(values.duration, [`${'9'.repeat(100)}s`]);
  assert.deepEqual([values.durationOrNone('None'), values.durationOrNone('1s')], ['none', 1_000]);
  assert.deepEqual(
    [values.waitDuration(''), values.waitDuration('none'), values.waitDuration('2s')],
    ['none', 'none', 2_000],
  );
  assert.deepEqual([values.orNull('none'), values.orNull(0)], [null, 0]);
});

test('a size is a number of bytes, or a number with a unit in powers of 1024', () => {
  const cases = {
    0: 0,
    4096: 4_096,
    '64k': 65_536,
    '100M': 104_857_600,
    '1g': 1_073_741_824,
    '1.5kb': 1_536,
    '10b': 10,
    '2t': 2 ** 41,
  };
  for (const [text, bytes] of Object.entries(cases)) assert.equal(values.size(text), bytes, text);
  refuses(values.size, ['', 'k', '-1', '1 parsec', '0x10', '1e6', 'none', '1kk', `${'9'.repeat(400)}g`]);
  assert.deepEqual([values.sizeOrNone('none'), values.sizeOrNone('1k')], ['none', 1_024]);
  assert.equal(values.whole('12'), 12);
  refuses(values.whole, ['', '-1', '1.5', '1e3', 'x', '9'.repeat(16)]);
});

test('a port is a number from 0 to 65535', () => {
  assert.deepEqual(['0', '7358', '65535'].map(values.port), [0, 7358, 65_535]);
  refuses(values.port, ['', '-1', '65536', '70000', '1.5', '0x50', 'x', '9'.repeat(16)]);
});

test('conditions are collected; an invalid one is refused', () => {
  const collect = (...texts: string[]) =>
    texts.reduce<values.Conditions | undefined>((before, text) => values.condition(text, before), undefined);
  assert.deepEqual(collect('exit'), { exit: true });
  assert.deepEqual(collect('pattern=a=b', 'port=80', 'idle=2s'), {
    pattern: { regexp: 'a=b' },
    port: 80,
    idleMs: 2_000,
  });
  assert.deepEqual(collect('port=any', 'exit'), { port: true, exit: true });
  refuses(
    (text) => collect(text),
    ['', 'rain', 'exit=1', 'pattern', 'pattern=', 'port=', 'port=x', 'idle=', 'idle=5', 'PORT=1'],
  );
  refuses((text) => collect(text), ['port=0', 'port=65536', 'port=-1', 'port=1.5']);
});

test('a kind of condition that is given twice is refused, because a wait would ignore the first', () => {
  for (const [first, second] of [
    ['pattern=ready', 'pattern=error'],
    ['port=80', 'port=any'],
    ['screen=a', 'screen=a'],
  ] as const)
    assert.throws(() => values.condition(second, values.condition(first, undefined)), {
      message: /^Expected each kind once\. .*pattern=ready\|error\.$/,
    });
});

test('pairs are collected, the last one of a name counts, and an error does not repeat a possible secret', () => {
  assert.deepEqual(values.pair('A=2=3', values.pair('A=1', { B: '' })), { A: '2=3', B: '' });
  for (const text of ['SECRET', '=SECRET', ''])
    assert.throws(
      () => values.pair(text, undefined),
      (error: Error) => !error.message.includes('SECRET'),
    );
});

test(
  'a signal can be given with or without SIG, or by number',
  notOnWindows('signals have other numbers'),
  () => {
    const cases = { TERM: 'SIGTERM', sigint: 'SIGINT', 9: 'SIGKILL', ' usr1 ': 'SIGUSR1', 15: 'SIGTERM' };
    for (const [text, name] of Object.entries(cases)) assert.equal(values.killSignalName(text), name);
    refuses(values.killSignalName, ['', '0', '-9', '99', 'NONSENSE', 'SIG', 'constructor', 'toString']);
  },
);

test('several words are quoted for the shell; a single word is a command, unchanged', () => {
  assert.equal(commandOf(['echo $HOME | cat']), 'echo $HOME | cat');
  assert.equal(commandOf(['npm', 'run', 'a b', "it's", '']), "npm run 'a b' 'it'\\''s' ''");
  const word = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('~', '#', '!', "'", '\\', '-n', 'a\nb', '=x'),
  );
  // The bash of Git takes carriage returns out of what it runs.
  const isNever = onWindows ? /[\0\r\ufffd]/ : /[\0\ufffd]/;
  const words = fc.array(
    word.filter((text) => !isNever.test(text) && Buffer.from(text).toString() === text),
    { maxLength: 8 },
  );
  const lists = fc.sample(words, 100);
  const script = lists.map((list) => commandOf(['printf', '%s\\0', 'next', ...list])).join('\n');
  // Not as an argument: of some texts Node itself dies on Windows when it hands them over.
  const printed = execFileSync('sh', { input: script, encoding: 'utf8' });
  assert.deepEqual(
    printed.split('\0').slice(0, -1),
    lists.flatMap((list) => ['next', ...list]),
  );
});
