import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseStat, parseStatOfProcess } from '../../../src/platform/linux/proc.ts';

/** A line of /proc/PID/stat as kernel 6.1 writes it, of a process with that name and state. */
function stat(name: string, state = 'S', exitSignal = 17): string {
  const rest =
    '1 4242 4200 34816 4242 4194304 105 0 0 0 3 1 0 0 20 0 1 0 887766 2621440 211 18446744073709551615 ' +
    `94200000000000 94200000010000 140720000000000 0 0 0 0 0 65538 1 0 0 ${exitSignal} 1 0 0 0 0 0 0 0 0 0 0 0 0 0`;
  return `4242 (${name}) ${state} ${rest}\n`;
}

test('the fields after the name are read', () => {
  assert.deepEqual(parseStat(stat('sh')), {
    pid: 4242,
    parent: 1,
    group: 4242,
    session: 4200,
    start: 887_766,
    zombie: false,
    suspended: false,
  });
});

test('a process may have any name: brackets, blanks, line breaks, or text that looks like the fields', () => {
  const plain = parseStat(stat('sh'));
  const evil = [')', '(', ') R 1 1 1', 'a b', '\n', '() (', '1 (x) Z 0 0 0', '', 'ünï'];
  for (const name of evil) assert.deepEqual(parseStat(stat(name)), plain, JSON.stringify(name));
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 15 }), (name) => {
      assert.deepEqual(parseStat(stat(name)), plain);
    }),
  );
});

test('zombies and dying processes count as dead, stopped and traced ones as suspended', () => {
  const states = Object.fromEntries(
    [...'RSDIZXTtW'].map((state) => {
      const seen = parseStat(stat('sh', state));
      return [state, seen?.zombie ? 'dead' : seen?.suspended ? 'suspended' : 'alive'];
    }),
  );
  assert.deepEqual(states, {
    R: 'alive',
    S: 'alive',
    D: 'alive',
    I: 'alive',
    Z: 'dead',
    X: 'dead',
    T: 'suspended',
    t: 'suspended',
    W: 'alive',
  });
});

test('a thread is distinguished from a process, whatever the name', () => {
  for (const name of ['node', ') S -1', '-1']) {
    assert.equal(parseStatOfProcess(stat(name, 'S', -1)), null, name);
    for (const exitSignal of [17, 0])
      assert.deepEqual(parseStatOfProcess(stat(name, 'S', exitSignal)), parseStat(stat('sh')), name);
  }
  assert.equal(parseStatOfProcess('4242 (sh) S 1 2'), null);
});

test('an invalid line gives nothing', () => {
  for (const text of ['', '\n', '4242', '4242 (sh', '4242 (sh) S 1 2', 'garbage (x) S 1'])
    assert.equal(parseStat(text), null, JSON.stringify(text));
});
