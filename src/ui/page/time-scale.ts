import type { Span } from './filter.ts';

/** A stretch of the timeline: time in which something ran, or a long gap that takes a fixed width. */
export interface Stretch extends Span {
  readonly isGap: boolean;
  readonly x: number;
  readonly width: number;
}

/** The width of a folded gap, in pixels. */
const gapWidth = 34;

/** The timeline folds a gap that is at least this share of the whole time, and at least this long, in milliseconds. */
const gapShare = 0.12;
const shortestGapMs = 120_000;

/** How many gaps it folds at most: the longest. */
const mostGaps = 6;

/** Places times on a timeline of this width. Long gaps between the spans are folded. */
export function timeScale(spans: readonly Span[], width: number): TimeScale {
  const busy = merged(spans);
  const [first, last] = [busy[0]?.from ?? 0, busy.at(-1)?.to ?? 0];
  const total = Math.max(1, last - first);
  const gaps = busy
    .slice(1)
    .map((span, index) => ({ from: busy[index]?.to ?? 0, to: span.from }))
    .filter(({ from, to }) => to - from >= Math.max(shortestGapMs, total * gapShare))
    .sort((a, b) => b.to - b.from - (a.to - a.from))
    .slice(0, mostGaps)
    .sort((a, b) => a.from - b.from);
  const folded = gaps.reduce((sum, { from, to }) => sum + to - from, 0);
  const perMs = Math.max(0, width - gaps.length * gapWidth) / Math.max(1, total - folded);
  const stretches: Stretch[] = [];
  let [at, x] = [first, 0];
  const add = (to: number, isGap: boolean): void => {
    const wide = isGap ? gapWidth : (to - at) * perMs;
    stretches.push({ from: at, to, isGap, x, width: wide });
    at = to;
    x += wide;
  };
  for (const gap of gaps) {
    add(gap.from, false);
    add(gap.to, true);
  }
  add(Math.max(last, first + 1), false);
  return new TimeScale(stretches);
}

export class TimeScale {
  readonly stretches: readonly Stretch[];

  constructor(stretches: readonly Stretch[]) {
    this.stretches = stretches;
  }

  xOf(time: number): number {
    const found = this.stretches.find(({ to }) => time <= to) ?? this.stretches.at(-1);
    if (found === undefined) return 0;
    const share = (time - found.from) / Math.max(1, found.to - found.from);
    return found.x + Math.min(1, Math.max(0, share)) * found.width;
  }

  timeAt(x: number): number {
    const found = this.stretches.find((stretch) => x <= stretch.x + stretch.width) ?? this.stretches.at(-1);
    if (found === undefined) return 0;
    const share = found.width === 0 ? 0 : (x - found.x) / found.width;
    return found.from + Math.min(1, Math.max(0, share)) * (found.to - found.from);
  }
}

/** The spans in order, with touching ones joined. */
function merged(spans: readonly Span[]): Span[] {
  const found: { from: number; to: number }[] = [];
  for (const { from, to } of [...spans].sort((a, b) => a.from - b.from)) {
    const last = found.at(-1);
    if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to);
    else found.push({ from, to });
  }
  return found;
}
