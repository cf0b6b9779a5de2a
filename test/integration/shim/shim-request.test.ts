import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ShimRequest } from '../../../src/shim/request.ts';
import { BareShim } from '../../support/bare-shim.ts';
import { World, waitFor } from '../../support/world.ts';

/** What the shim ends with when it has not understood its request; see native/src/shim.h. */
const badRequest = 64;

/** Nothing runs, and nobody says that anything did. */
async function refuses(shim: BareShim, request: string | null, what = String(request)): Promise<void> {
  assert.equal(await shim.start(request), badRequest, what);
  assert.equal(shim.text(), '', what);
  assert.equal(shim.written(), null, what);
}

async function refusesEach(shim: BareShim, requests: readonly string[]): Promise<void> {
  for (const request of requests) await refuses(shim, request);
}

async function runs(shim: BareShim, request: string): Promise<void> {
  shim.forget();
  assert.equal(await shim.start(request), 0);
  await waitFor(() => shim.facts().some(({ fact }) => fact === 'exit'), 'the exit of the command');
  assert.equal(shim.written(), 'ran\n');
  shim.forget();
}

test('a request that is cut off anywhere runs nothing; the whole one runs', async () => {
  await using world = new World();
  const shim = await BareShim.in(world.base);
  const whole = shim.request('echo ran');
  for (let length = 0; length < whole.length; length += 1)
    await refuses(shim, whole.slice(0, length), `${length} bytes`);
  await runs(shim, whole);
});

test('a request with a wrong length, or with bytes after it, runs nothing', async () => {
  await using world = new World();
  const shim = await BareShim.in(world.base);
  const whole = shim.request('echo ran');
  const lengths = [...whole.matchAll(/(?<=^|[:,])\d+(?=:)/g)];
  assert.ok(lengths.length > 15, `only ${lengths.length} lengths`);
  for (const { 0: digits, index } of lengths) {
    for (const other of [Number(digits) - 1, Number(digits) + 1, '', `${digits}0`, '-1', '999999999', ' 1']) {
      const changed = whole.slice(0, index) + other + whole.slice(index + digits.length);
      await refuses(shim, changed, changed);
    }
  }
  await refusesEach(shim, [`${whole} `, `${whole},`, whole + whole, ` ${whole}`, whole.slice(1)]);
  await runs(shim, whole);
});

test('without a request the program does nothing', async () => {
  await using world = new World();
  await refuses(await BareShim.in(world.base), null);
});

test('a request with an unknown or invalid field runs nothing', async () => {
  await using world = new World();
  const shim = await BareShim.in(world.base);
  const withMore = (more: object) => shim.request('echo ran', more as Partial<ShimRequest>);
  await refusesEach(
    shim,
    [
      { priority: 5 },
      { Task: 'a' },
      { timeoutMs: 1e300 },
      { maxOutputBytes: -1 },
      { maxOutputBytes: 1.5 },
      { maxOutputBytes: '' },
      { logOffset: '0x10' },
      { logOffset: '99999999999999999999' },
      { err: '' },
      { bashPipes: '' },
      { hook: '' },
      { hook: 'a'.repeat(4097), hookMs: 1, hookOutput: '/a', hookFolder: '/' },
      { hook: 'true', hookOutput: '/a' },
      { hook: 'true', hookMs: 1 },
      { hook: 'true', hookMs: 0, hookOutput: '/a' },
      { zshPipes: 'a'.repeat(4096) },
      { queued: 2 },
      { leftovers: 'keep' },
      { leftovers: '' },
      { bound: { pid: 0, start: null } },
      { bound: { pid: -5, start: null } },
      { limits: { nicer: 41 } },
      { limits: { nicer: '-' } },
      { limits: { memoryBytes: 'much' } },
      { limits: { cgroup: `/${'x'.repeat(4_096)}` } },
      // What goes into facts as it is.
      { task: 'bgb-"' },
      { task: 'bgb-0123abcd0123-and-more' },
      { cookie: 'a b' },
      { exitProof: 'a\\' },
      { goneProof: '0'.repeat(65) },
    ].map(withMore),
  );
  await runs(shim, withMore({}));
});

test('a request without a required field, or with too many words, runs nothing', async () => {
  await using world = new World();
  const shim = await BareShim.in(world.base);
  const words = (count: number) => ['/bin/sh', '-c', 'echo ran', ...Array<string>(count - 3).fill('x')];
  const missing = ['task', 'cookie', 'exitProof', 'goneProof'].map((field) =>
    shim.request('echo ran', { [field]: '' }),
  );
  await refusesEach(shim, [...missing, shim.request('', { words: [] })]);
  await refuses(shim, shim.request('', { words: words(129) }));
  await runs(shim, shim.request('', { words: words(128) }));
});
