import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { type UsageSample, UsageSampler } from '../../../src/engine/processes/usage-sampler.ts';
import { currentSystem } from '../../../src/platform/current.ts';
import type { ProcessUsage } from '../../../src/platform/system.ts';

const cookie = 'bgb-000000010000.0123456789abcdef';

/** A sampler of a machine with one task, where a listing takes so many milliseconds each time. */
async function sampler(costsMs: readonly number[], cpuMs: (listing: number) => number) {
  const system = await currentSystem();
  let now = 0;
  const listedAt: number[] = [];
  const told: UsageSample[] = [];
  mock.method(process.hrtime, 'bigint', () => BigInt(Math.round(now * 1e6)));
  mock.timers.enable({ apis: ['setTimeout'] });
  const usage = async (): Promise<ProcessUsage[]> => {
    const nth = listedAt.length;
    listedAt.push(now);
    now += costsMs[Math.min(nth, costsMs.length - 1)] ?? 0;
    return [{ pid: 7, cookie, memoryBytes: 1_000, cpuMs: cpuMs(nth) }];
  };
  const leave = new UsageSampler({ ...system, usage }).add({
    store: { dir: '/nowhere' },
    measured: () => [{ taskId: 'bgb-000000010000', cookie, shimPid: 8, shimStart: null }],
    tell: (sample) => told.push(sample),
  });
  /** Lets the time go on until there were so many listings. */
  const until = async (listings: number): Promise<void> => {
    for (let step = 0; listedAt.length < listings; step += 1) {
      assert.ok(step < 1_000_000, 'it does not go on');
      now += 10;
      mock.timers.tick(10);
      for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
    }
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  };
  const gaps = () => listedAt.slice(1).map((at, nth) => Math.round((at - (listedAt[nth] ?? 0)) / 100) / 10);
  return { until, gaps, told, leave, done: () => mock.reset() };
}

test('a cheap sample is taken every two seconds, after a short first one', async () => {
  const { until, gaps, leave, done } = await sampler([10], () => 0);
  try {
    await until(5);
    assert.deepEqual(gaps(), [0.3, 2, 2, 2]);
    leave();
  } finally {
    done();
  }
});

test('the time between samples grows with their cost, and one slow sample does not count', async () => {
  const steady = await sampler([200], () => 0);
  try {
    await steady.until(6);
    // 200 ms are 2 % of 10 s, and the sample itself comes on top.
    assert.deepEqual(steady.gaps().slice(1), [10.2, 10.2, 10.2, 10.2]);
    steady.leave();
  } finally {
    steady.done();
  }
  const once = await sampler([10, 10, 500, 10, 10], () => 0);
  try {
    await once.until(6);
    assert.deepEqual(once.gaps().slice(1), [2, 2.5, 2, 2]);
    once.leave();
  } finally {
    once.done();
  }
});

test('CPU is the usage between two samples', async () => {
  const { until, told, leave, done } = await sampler([0], (nth) => nth * 1_000);
  try {
    await until(4);
    const used = told.at(-1)?.usage.get('bgb-000000010000');
    assert.deepEqual([used?.processes, used?.memoryBytes, Math.round(used?.cpuPercent ?? 0)], [1, 1_000, 50]);
    leave();
  } finally {
    done();
  }
});
