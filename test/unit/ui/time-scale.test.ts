import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { timeScale } from '../../../src/ui/page/time-scale.ts';

const minute = 60_000;

test('a long gap is folded to a fixed width, and times on both sides keep theirs', () => {
  const scale = timeScale(
    [
      { from: 0, to: 10 * minute },
      { from: 600 * minute, to: 620 * minute },
    ],
    1_000,
  );
  assert.deepEqual(
    scale.stretches.map(({ isGap }) => isGap),
    [false, true, false],
  );
  const [first, gap, last] = scale.stretches;
  assert.ok(first && gap && last);
  assert.ok(gap.width < 50);
  assert.ok(Math.abs(last.width / first.width - 2) < 0.01);
  assert.equal(Math.round(last.x + last.width), 1_000);
});

test('short gaps, a single moment and no tasks work', () => {
  assert.equal(
    timeScale(
      [
        { from: 0, to: 1_000 },
        { from: 2_000, to: 3_000 },
      ],
      500,
    ).stretches.length,
    1,
  );
  assert.ok(Number.isFinite(timeScale([{ from: 5, to: 5 }], 500).xOf(5)));
  assert.ok(Number.isFinite(timeScale([], 500).xOf(7)));
});

test('later times are never further left, and a position maps back to its time', () => {
  const time = fc.integer({ min: 0, max: 100_000_000 });
  const spans = fc.array(fc.record({ from: time, ms: fc.integer({ min: 0, max: 10_000_000 }) }), {
    minLength: 1,
  });
  fc.assert(
    fc.property(spans, time, time, (found, a, b) => {
      const scale = timeScale(
        found.map(({ from, ms }) => ({ from, to: from + ms })),
        900,
      );
      const [early, late] = [Math.min(a, b), Math.max(a, b)];
      assert.ok(scale.xOf(early) <= scale.xOf(late) + 1e-6);
      const x = scale.xOf(a);
      assert.ok(x >= 0 && x <= 900 + 1e-6);
      assert.ok(Math.abs(scale.xOf(scale.timeAt(x)) - x) < 1e-3);
    }),
  );
});
