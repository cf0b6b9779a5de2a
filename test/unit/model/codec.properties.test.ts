import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Fact } from '../../../src/model/facts.ts';
import { foldFacts } from '../../../src/model/fold.ts';
import { encodeFact, parseFact } from '../../../src/tasklog/codec.ts';
import { parseLog } from '../../../src/tasklog/read-log.ts';
import { anyFact, anyFacts, anyText } from './arbitrary-facts.ts';

test('every fact is one line between two line breaks, and reads back as itself', () => {
  fc.assert(
    fc.property(anyFact, (fact) => {
      const [before, line = '', after, ...more] = encodeFact(fact).split('\n');
      assert.deepEqual([before, after, more], ['', '', []]);
      assert.deepEqual(parseFact(line), fact);
      // Through bytes as well, where half a surrogate pair has no place of its own.
      assert.deepEqual(parseFact(Buffer.from(line).toString('utf8')), fact);
    }),
    { numRuns: 2_000 },
  );
});

test('a log that is cut off at any byte keeps every fact before the cut one', () => {
  fc.assert(
    fc.property(anyFacts, fc.double({ min: 0, max: 1, noNaN: true }), (log, share) => {
      const bytes = Buffer.from(log.map(encodeFact).join(''));
      const end = Math.floor(bytes.length * share);
      const whole = log.filter((_fact, index) => lengthOf(log.slice(0, index + 1)) - 1 <= end);
      assert.deepEqual(parseLog(bytes.toString('utf8', 0, end)).list, whole);
    }),
    { numRuns: 1_000 },
  );
});

test('an incomplete fact in the middle of a log spoils only itself', () => {
  fc.assert(
    fc.property(
      anyFacts,
      anyFact,
      anyFacts,
      fc.double({ min: 0, max: 0.99, noNaN: true }),
      (a, torn, b, share) => {
        const text = encodeFact(torn);
        const part = Buffer.from(text).subarray(0, Math.floor((Buffer.byteLength(text) - 2) * share));
        const log = Buffer.concat([Buffer.from(encode(a)), part, Buffer.from(encode(b))]);
        assert.deepEqual(parseLog(log.toString('utf8')).list, [...a, ...b]);
      },
    ),
    { numRuns: 1_000 },
  );
});

test('lines that are not facts change nothing, wherever they are', () => {
  const noise = fc
    .oneof(
      anyText,
      fc.json(),
      fc.json().map((json) => `{"fact":${json}}`),
      fc.constantFrom(
        '{"fact":"spec"}',
        '{"fact":"exit","code":"0"}',
        '{"fact":"started","pid":1,"shimPid":1,"at":1}',
        '{}',
        '[]',
      ),
    )
    .filter((text) => !text.split('\n').some(isFact));
  fc.assert(
    fc.property(fc.array(fc.tuple(anyFact, noise), { maxLength: 8 }), noise, (pairs, first) => {
      const log = pairs.map(([fact]) => fact);
      const noisy = first + pairs.map(([fact, more]) => encodeFact(fact) + more).join('');
      assert.deepEqual(parseLog(noisy).list, log);
      assert.deepEqual(foldFacts(parseLog(noisy).list), foldFacts(log));
    }),
    { numRuns: 2_000 },
  );
});

test('any bytes at all can be parsed', () => {
  const fragments = fc.oneof(
    fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes).toString('utf8')),
    fc.json(),
    fc
      .json({ maxDepth: 1 })
      .map((json) => `\n{"fact":"spec","by":{"pid":${json}},"labels":${json},"command":""}\n`),
    fc
      .json()
      .map(
        (json) =>
          `\n{"fact":"outcome","status":"lost","endedAt":1,"leftovers":${json},"pipeStatus":${json}}\n`,
      ),
    fc.json().map((json) => `\n{"fact":"exit","code":0,"pipeStatus":${json}}\n`),
    fc.json().map((json) => `\n{"fact":${json}}\n`),
    fc.constant('\n{"fact":{"toString":1,"valueOf":1}}\n'),
  );
  fc.assert(
    fc.property(fc.array(fragments, { maxLength: 6 }), (parts) => {
      assert.ok(Array.isArray(parseLog(parts.join('')).list));
    }),
    { numRuns: 2_000 },
  );
});

test('a fact that another program writes in two steps, and our facts in between, are all read', () => {
  const theirs: Fact = { fact: 'gone', proof: 'theirs' };
  fc.assert(
    fc.property(anyFacts, (ours) => {
      // The line break first, then the rest with a line break behind it.
      const log = parseLog(`\n${encode(ours)}${JSON.stringify(theirs)}\n`).list;
      assert.deepEqual(log, [...ours, theirs]);
    }),
  );
});

function isFact(line: string): boolean {
  try {
    const kind = JSON.parse(line)?.fact;
    return typeof kind === 'string' && parseFact(line) !== null;
  } catch {
    return false;
  }
}

function encode(log: readonly Fact[]): string {
  return log.map(encodeFact).join('');
}

function lengthOf(log: readonly Fact[]): number {
  return Buffer.byteLength(encode(log));
}
