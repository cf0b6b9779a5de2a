import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { elapsedMs, endedAt, startedAt, startedUptimeMs } from '../../src/model/times.ts';
import { anyNumber } from './arbitrary-facts.ts';
import { exit, spec, started } from './sample-facts.ts';

// The spec was written at epoch 1,700,000,000,000, which was 100,000 ms after boot. A tick is 10 ms.
const asked = spec();
const epoch = asked.createdAt;

test('a task started as long after its spec as the clock since boot says', () => {
  assert.equal(startedAt(asked, started({ start: 10_002 })), epoch + 20);
  assert.equal(startedUptimeMs(asked, started({ start: 10_002 })), 100_020);
});

test('a start that seems to come before the spec, by a part of a tick, comes with it', () => {
  assert.equal(startedAt(asked, started({ start: 9_999 })), epoch);
});

test('two clocks that do not agree (a container with its own uptime) start the task at its spec', () => {
  // lxcfs: /proc/uptime counts from the start of the container, start times from that of the machine.
  assert.equal(startedAt(asked, started({ start: 90_000_000 })), epoch);
  assert.equal(elapsedMs(asked, started({ start: 90_000_000 }), { epochMs: 0, uptimeMs: 100_500 }), 500);
});

test('without a clock that the shim shares, or a start time, the task started at its spec', () => {
  assert.equal(startedAt(spec({ uptimeMs: null }), started()), epoch);
  assert.equal(startedAt(asked, started({ start: null })), epoch);
  assert.equal(startedUptimeMs(spec({ uptimeMs: null }), started()), null);
});

test('a queued task started when its shim says, or when it was given its turn, however long that took', () => {
  const day = 86_400_000;
  const told = started({ start: 10_002, uptime: 100 + day / 1000 });
  assert.equal(startedAt(asked, told), epoch + day);
  assert.equal(elapsedMs(asked, told, { epochMs: 0, uptimeMs: 100_500 + day }), 500);
  const unread = { ...started({ start: null }), turnAt: epoch + day };
  assert.equal(startedAt(asked, unread), epoch + day);
  assert.equal(startedAt(spec({ uptimeMs: null }), unread), epoch + day);
  assert.equal(startedAt(asked, { ...unread, turnAt: epoch - 5 }), epoch);
});

test('a task ended as long after its spec as the exit marker says', () => {
  assert.equal(endedAt(asked, exit(0, { uptime: 102.25 })), epoch + 2_250);
  assert.equal(endedAt(asked, exit(0, { uptime: 99.995 })), epoch);
});

test('an exit marker without a time, or with one from before the spec, does not tell the end', () => {
  assert.equal(endedAt(asked, exit(0, { uptime: null })), null);
  assert.equal(endedAt(asked, exit(0, { uptime: 3 })), null);
  assert.equal(endedAt(spec({ uptimeMs: null }), exit(0)), null);
});

test('a step of the wall clock neither lengthens nor shortens the time that a task has run', () => {
  const run = started({ start: 10_000 });
  for (const epochMs of [epoch - 86_400_000, epoch, epoch + 86_400_000])
    assert.equal(elapsedMs(asked, run, { epochMs, uptimeMs: 107_000 }), 7_000);
});

test('without a clock since boot the wall clock is used, and a step back makes no negative time', () => {
  const apart = spec({ uptimeMs: null });
  assert.equal(elapsedMs(apart, started(), { epochMs: epoch + 7_000, uptimeMs: null }), 7_000);
  assert.equal(elapsedMs(apart, started(), { epochMs: epoch - 7_000, uptimeMs: null }), 0);
});

test('whatever a log says, times are numbers and nobody has run for less than nothing', () => {
  const wild = fc.option(fc.oneof(anyNumber, fc.constantFrom(1e308, -1e308, 0.5)));
  fc.assert(
    fc.property(wild, wild, wild, fc.option(fc.nat()), (start, uptime, turned, specUptime) => {
      const told = spec({ uptimeMs: specUptime });
      const run = started({ start, ...(turned === null ? {} : { uptime: turned }) });
      const end = endedAt(told, exit(0, { uptime }));
      assert.ok(end === null || Number.isSafeInteger(end), `ended at ${end}`);
      assert.ok(Number.isSafeInteger(startedAt(told, run)));
      const elapsed = elapsedMs(told, run, { epochMs: epoch, uptimeMs: 200_000 });
      assert.ok(Number.isFinite(elapsed) && elapsed >= 0, `has run for ${elapsed}`);
    }),
    { numRuns: 1_000 },
  );
});
