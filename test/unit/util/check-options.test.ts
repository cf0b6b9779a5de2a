import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { checkOptions, type OptionNames, sayUnknown } from '../../../src/errors/check-options.ts';

interface Options {
  readonly timeoutMs?: number;
  readonly graceMs?: number;
  readonly env?: object;
}

const names: OptionNames<Options> = { timeoutMs: true, graceMs: true, env: true };

test('the types refuse a list of names with one missing or one too many', () => {
  // @ts-expect-error env is not there
  const short: OptionNames<Options> = { timeoutMs: true, graceMs: true };
  // @ts-expect-error there is no pid
  const long: OptionNames<Options> = { timeoutMs: true, graceMs: true, env: true, pid: true };
  assert.notDeepEqual(Object.keys(short), Object.keys(long));
});

test('known options are returned unchanged', () => {
  const options: Options = { timeoutMs: 5 };
  assert.equal(checkOptions('it()', options, names), options);
  assert.deepEqual(checkOptions('it()', Object.create(null), names), Object.create(null));
});

test('names that every object inherits count as unknown', () => {
  for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
    const options = Object.defineProperty({}, name, { value: 1, enumerable: true });
    assert.throws(() => checkOptions('it()', options, names), { code: 'INVALID_ARGUMENT' }, name);
  }
});

const meant: readonly [slip: string, meant: string | null][] = [
  ['timeout', 'timeoutMs'],
  ['timeout_ms', 'timeoutMs'],
  ['TIMEOUTMS', 'timeoutMs'],
  ['timeuotMs', 'timeoutMs'],
  ['grace', 'graceMs'],
  ['environment', 'env'],
  ['envv', 'env'],
  ['colour', null],
  ['ms', null],
  ['', null],
  ['🙂', null],
];
for (const [slip, name] of meant) {
  test(`${JSON.stringify(slip)} ${name === null ? 'is near to no name' : `is meant for ${name}`}`, () => {
    const said = sayUnknown([slip], Object.keys(names));
    const guess = name === null ? '' : ` (did you mean "${name}"?)`;
    assert.equal(said, `${JSON.stringify(slip)}${guess}. There are: env, graceMs, timeoutMs.`);
  });
}

test('a message is one line of bounded length, whatever the names', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 3_000 }), { minLength: 1 }), (slips) => {
      const said = sayUnknown(slips, Object.keys(names));
      assert.ok(said.length < 4_000 && !/[\n\r]/.test(said));
    }),
  );
});
