import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Fact } from '../../../src/model/facts.ts';
import { foldFacts } from '../../../src/model/fold.ts';
import { bounds } from '../../../src/model/limits.ts';
import { seenOffset } from '../../../src/model/watches.ts';
import { encodeFact } from '../../../src/tasklog/codec.ts';
import { parseLog } from '../../../src/tasklog/read-log.ts';
import { anyFact } from './arbitrary-facts.ts';
import { delivered, exit, outcome, spec, started } from './sample-facts.ts';

/** Does something, and returns how often JSON was parsed meanwhile. */
function parses(work: () => void): number {
  const { parse } = JSON;
  let count = 0;
  JSON.parse = (...args: Parameters<typeof parse>): unknown => {
    count += 1;
    return parse(...args);
  };
  try {
    work();
  } finally {
    JSON.parse = parse;
  }
  return count;
}

const seen = (offset: number): Fact => ({ fact: 'seen', watch: 'w', id: `${offset}`, offset, at: 1 });
const text = (...facts: readonly Fact[]): string => facts.map(encodeFact).join('');
const begin = [spec(), started()];
const end = [exit(0), outcome(), delivered()];

for (const [what, noise] of [
  ['line breaks', '\n'.repeat(4_000_000)],
  ['spaces', ' '.repeat(4_000_000)],
  ['zeros', '\0'.repeat(4_000_000)],
  ['lists', '[]\n'.repeat(1_000_000)],
] as const) {
  test(`four million ${what} in a log are not parsed, and every fact around them counts`, () => {
    let list: readonly Fact[] = [];
    const count = parses(() => {
      list = parseLog(`${text(...begin)}\n${noise}\n${text(...end)}`).list;
    });
    assert.deepEqual([list, count], [[...begin, ...end], 5]);
  });
}

for (const [what, line, most] of [
  ['torn facts', '{"fact":"exit",\n', bounds.garbageLines],
  ['brackets', '{\n', bounds.garbageLines],
  ['objects that are no facts', '{}\n', bounds.garbageLines],
  ['facts', encodeFact(seen(1)), bounds.logFacts / 2],
] as const) {
  test(`of a log full of ${what} only the beginning and the end are read, and it counts as partial`, () => {
    const log = `${text(...begin)}\n${line.repeat(100_000)}\n${text(...end)}`;
    let found: ReturnType<typeof parseLog> | undefined;
    assert.ok(
      parses(() => {
        found = parseLog(log);
      }) <=
        2 * (most + begin.length + end.length),
    );
    assert.ok(found?.isPartial);
    assert.deepEqual(found.list.slice(0, 2), begin);
    assert.deepEqual(found.list.slice(-3), end);
    // What is appended afterwards counts as well: an end is told once, however damaged the record is.
    assert.deepEqual(parseLog(log + text(delivered())).list.at(-1), delivered());
  });
}

test('a line that is longer than any fact is not parsed', () => {
  const long = `{"fact":"exit","x":"${'x'.repeat(bounds.factBytes)}"}\n`;
  let list: readonly Fact[] = [];
  assert.equal(
    parses(() => {
      list = parseLog(`${text(...begin)}\n${long}${text(...end)}`).list;
    }),
    5,
  );
  assert.deepEqual(list, [...begin, ...end]);
});

test('if the middle of a log was not read, the first and last facts count, but no part of a fact', () => {
  fc.assert(
    fc.property(
      fc.array(anyFact, { maxLength: 6 }),
      fc.array(anyFact, { maxLength: 6 }),
      fc.nat(200),
      fc.nat(200),
      (first, last, cutFirst, cutLast) => {
        const [torn, behind] = [text(spec()).slice(0, -3 - cutFirst), text(spec()).slice(3 + cutLast)];
        const { list, isPartial } = parseLog(text(...first) + torn, behind + text(...last));
        assert.deepEqual(list, [...first, ...last]);
        assert.ok(isPartial);
      },
    ),
  );
});

test('twenty thousand watches, acknowledgements or claims are folded, and each of them counts', () => {
  const many = bounds.logFacts;
  const watch = (n: number): Fact => {
    return { fact: 'watch', id: `${n}`, pattern: { text: 'x' }, stream: 'stdout', from: 0, at: 1 };
  };
  const over = Array.from({ length: many / 2 }, (_, n): Fact[] => [
    watch(n),
    { fact: 'unwatch', watch: `${n}` },
  ]);
  assert.equal(foldFacts(over.flat()).watches.length, many / 2);
  const first = watch(0);
  const acknowledged = Array.from({ length: many }, (_, n): Fact => ({ ...seen(n), watch: '0' }) as Fact);
  const [only] = foldFacts([first, ...acknowledged]).watches;
  assert.ok(only);
  assert.deepEqual([only.seen.length, seenOffset(only, 0)], [many, many - 1]);
  const by = spec().by;
  const claims = Array.from({ length: many }, (_, n): Fact => ({ fact: 'claim', id: `${n}`, by }));
  const given = Array.from({ length: many - 1 }, (_, n): Fact => ({ fact: 'unclaim', id: `${n}` }));
  const { claims: left } = foldFacts([spec(), started(), exit(0), outcome(), ...claims, ...given]);
  assert.deepEqual(
    left.map(({ id }) => id),
    [`${many - 1}`],
  );
});
