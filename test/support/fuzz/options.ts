import assert from 'node:assert/strict';
import fc from 'fast-check';
import { checkKill } from '../../../src/api/kill-options.ts';
import { checkSpawn } from '../../../src/engine/spawn/spawn-request.ts';
import { checkWaitFor } from '../../../src/engine/wait/wait-for-options.ts';
import { compilePattern } from '../../../src/engine/watches/compile-pattern.ts';
import { OutliveError } from '../../../src/errors/error.ts';
import { checkPattern } from '../../../src/model/pattern.ts';
import type { Properties } from './properties.ts';
import { hostileText } from './texts.ts';

const anything = fc.oneof(
  fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withNullPrototype: true,
    withSparseArray: true,
  }),
  fc.constantFrom(
    Symbol('s'),
    () => 1,
    { toString: null },
    { toJSON: 5 },
    new Proxy({}, {}),
    Object.create(null),
  ),
  hostileText,
  fc.double(),
);

/** Options, each of which is anything, or not there, or as it should be. */
function options(
  names: readonly string[],
  good: fc.Arbitrary<unknown>,
): fc.Arbitrary<Record<string, unknown>> {
  const models = Object.fromEntries(names.map((name) => [name, fc.oneof(anything, good, good)]));
  return fc.record(models, { requiredKeys: [] });
}

const spawnOptions = options(
  [
    'cwd',
    'env',
    'labels',
    'separate',
    'unbuffered',
    'timeoutMs',
    'graceMs',
    'leftovers',
    'maxOutputBytes',
    'keepOutputBytes',
    'onLimit',
    'bindTo',
    'name',
    'shell',
    'memoryBytes',
    'cpuSeconds',
    'processes',
    'niceness',
  ],
  fc.constantFrom('/', 5, true, 'wait', 'queue', null, { a: 'b' }, { pid: 1 }, 'session', 'sh'),
);
const waitOptions = options(
  ['pattern', 'from', 'stream', 'port', 'idleMs', 'exit', 'timeoutMs', 'ack'],
  fc.constantFrom('x', 5, true, 'stderr', { regexp: 'a' }),
);

/** Pieces of regular expressions, among them what is refused and what would take long elsewhere. */
const regexp = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '(',
        ')',
        '[',
        ']',
        '{2}',
        '{1000}',
        '{5,}',
        '*',
        '+',
        '?',
        '|',
        '^',
        '$',
        '.',
        '\\',
        '\\1',
        '(?=',
        '(?<!',
        '(?<n>',
        '(?i)',
        '\\p{L}',
        '\\pN',
        '[^',
        '-',
        ']',
        '\\d',
        '\\b',
        '\\Q',
        '\\E',
        '(a+)+',
        '[[:alpha:]]',
        '\\u0041',
        '\\x{10ffff}',
        '\\k<n>',
      ),
      hostileText,
    ),
    { maxLength: 10 },
  )
  .map((parts) => parts.join(''));

/** Does it; anything but our own error is a fault. */
async function refusesOr(action: () => unknown): Promise<void> {
  try {
    await action();
  } catch (error) {
    assert.ok(error instanceof OutliveError, String((error as Error)?.stack));
    assert.match(error.message, /^expected /);
  }
}

/** Properties of what programs hand over. */
export const optionProperties: Properties = {
  'a spawn of anything is checked or refused': fc.asyncProperty(
    fc.oneof(anything, fc.constant('true')),
    spawnOptions,
    async (command, given) => {
      await refusesOr(() => checkSpawn(command as string, given));
    },
  ),
  'waiting for anything is checked or refused': fc.asyncProperty(waitOptions, async (given) => {
    await refusesOr(() => checkWaitFor(given));
  }),
  'a signal, a pattern of anything is checked or refused': fc.asyncProperty(
    anything,
    anything,
    async (one, other) => {
      await refusesOr(() => checkKill({ killSignal: one as NodeJS.Signals }));
      await refusesOr(() => checkPattern(one));
      await refusesOr(() => checkPattern({ regexp: one, flags: other }));
    },
  ),
  'a regular expression is refused, or matches any line soon': fc.asyncProperty(
    regexp,
    fc.constantFrom('', 'i', 'ms'),
    hostileText,
    async (source, flags, text) => {
      await refusesOr(async () => {
        const begin = performance.now();
        const matcher = await compilePattern(checkPattern({ regexp: source, flags }));
        const line = text.replace(/[\r\n]/g, '');
        const found = matcher.find(line, 0);
        if (found !== null) assert.ok(found.index >= 0 && found.index + found.length <= line.length);
        matcher.find('a'.repeat(5_000), 0);
        assert.ok(performance.now() - begin < 5_000, 'it took seconds');
      });
    },
  ),
};
