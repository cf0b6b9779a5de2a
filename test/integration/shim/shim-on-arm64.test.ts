import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Fact } from '../../../src/model/facts.ts';
import type { ShimRequest } from '../../../src/shim/request.ts';
import { sealOf } from '../../../src/util/crypto.ts';
import { arm64Shim } from '../../support/arm64.ts';
import { BareShim, exitProof, goneProof } from '../../support/bare-shim.ts';
import { ShimInPlace } from '../../support/shims.ts';
import { World, waitFor } from '../../support/world.ts';

// qemu's user mode runs the instructions of arm64 on the kernel of this machine. It has no subreapers, no children that
// wait apart and no tables of descriptors in common, and tells a shim another start time of itself than others see. So
// the facts of shims are looked at here, and not what the library makes of them.

const skip = process.platform !== 'linux' || process.arch !== 'x64' ? 'arm64 is run on Linux x64' : false;

class Arm64 extends World {
  readonly #place = new ShimInPlace(arm64Shim(this));

  /** A shim with files of its own. */
  async shim(name = 'one'): Promise<BareShim> {
    const folder = join(this.base, name);
    mkdirSync(folder);
    return await BareShim.in(folder);
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    this.#place[Symbol.dispose]();
    await super[Symbol.asyncDispose]();
  }
}

async function fact<K extends Fact['fact']>(shim: BareShim, kind: K): Promise<Extract<Fact, { fact: K }>> {
  const find = (): Extract<Fact, { fact: K }> | undefined =>
    shim.facts().find((one): one is Extract<Fact, { fact: K }> => one.fact === kind);
  await waitFor(() => find() !== undefined, `the fact ${kind}`);
  const found = find();
  assert.ok(found !== undefined);
  return found;
}

/** Runs a command to its end. */
async function run(shim: BareShim, command: string, more: Partial<ShimRequest> = {}): Promise<Fact> {
  assert.equal(await shim.start(shim.request(command, more)), 0);
  return await fact(shim, 'exit');
}

test('a shim on arm64 records the start and the real end of a command', { skip }, async () => {
  await using world = new Arm64();
  const shim = await world.shim();
  const exit = await run(shim, 'echo out; echo err >&2; exit 3');
  const { code, bytes, proof, pending } = exit as Extract<Fact, { fact: 'exit' }>;
  assert.deepEqual([code, bytes, proof, pending], [3, 8, exitProof, false]);
  assert.equal(shim.written(), 'out\nerr\n');
  assert.equal((await fact(shim, 'started')).subreaper, false);
});

test('on arm64 a pump carries output into the file, up to the limit, to the byte', { skip }, async () => {
  await using world = new Arm64();
  const whole = await world.shim('whole');
  await run(whole, 'echo one; echo two > /dev/stdout; seq 1 20000', { pumped: true });
  const numbers = Array.from({ length: 20_000 }, (_, at) => `${at + 1}\n`).join('');
  await waitFor(() => whole.written() === `one\ntwo\n${numbers}`, 'all of the output');
  const limited = await world.shim('limited');
  await run(limited, 'while :; do echo 12345678; done', { pumped: true, maxOutputBytes: 10_000 });
  assert.equal((await fact(limited, 'stop')).cause, 'output_limit');
  assert.equal(limited.written()?.length, 10_000);
  await waitFor(
    () => !readdirSync(world.base, { recursive: true }).some((name) => String(name).endsWith('.fifo')),
    'the pumps to end',
  );
});

test('on arm64 marks say when the output came', { skip }, async () => {
  await using world = new Arm64();
  const shim = await world.shim();
  await run(shim, 'echo one; sleep 1.2; echo two; sleep 1.2; echo three');
  const marks = readFileSync(`${shim.output}.marks`);
  assert.equal(marks.subarray(0, 13).toString('latin1'), 'outlive marks');
  const offsets = Array.from({ length: marks.length / 16 - 1 }, (_, at) =>
    marks.readBigUInt64LE(16 * (at + 1)),
  );
  assert.ok(
    offsets.length >= 2 && offsets.every((offset, at) => at === 0 || offset > (offsets[at - 1] ?? 0n)),
  );
  assert.deepEqual([marks.readUInt8(15), offsets.at(-1)], [1, 14n]);
});

test('on arm64 a timeout, and a stop request in the log, end the whole tree', { skip }, async () => {
  await using world = new Arm64();
  const late = await world.shim('late');
  await run(late, "trap '' TERM; sleep 300 & wait; sleep 300", { timeoutMs: 200, graceMs: 50 });
  assert.equal((await fact(late, 'stop')).cause, 'timeout');
  const asked = await world.shim('asked');
  assert.equal(
    await asked.start(asked.request("trap 'exit 9' INT; echo ready; while :; do sleep 0.02; done")),
    0,
  );
  const { shimPid } = await fact(asked, 'started');
  await waitFor(() => asked.written() === 'ready\n', 'the trap to be set');
  asked.append({
    fact: 'stop',
    cause: 'kill',
    id: 'abc',
    graceMs: 5_000,
    killSignal: 'SIGINT',
    by: null,
    at: 1,
  });
  process.kill(shimPid, 'SIGCONT');
  assert.deepEqual([(await fact(asked, 'stopping')).id, (await fact(asked, 'exit')).code], ['abc', 9]);
});

test('on arm64 a hook runs once, and bash tells how its pipeline ended', { skip }, async () => {
  await using world = new Arm64();
  const shim = await world.shim();
  const exit = await run(shim, 'true', {
    words: ['/bin/bash', '-c', 'exit 2 | exit 3 | exit 4', 'bash'],
    bashPipes: join(world.base, 'pipes'),
    hook: 'echo "$OUTLIVE_STATUS $OUTLIVE_EXIT_CODE"',
    hookMs: 10_000,
    hookOutput: join(world.base, 'hook'),
    hookFolder: world.base,
  });
  assert.deepEqual((exit as Extract<Fact, { fact: 'exit' }>).pipeStatus, [2, 3, 4]);
  assert.equal((await fact(shim, 'hooked')).code, 0);
  assert.equal(readFileSync(join(world.base, 'hook'), 'utf8'), 'failed 4\n');
  assert.ok(!existsSync(join(world.base, 'pipes')));
});

test('on arm64 a queued task waits for its slot, and one that follows another waits for its proven end', {
  skip,
}, async () => {
  await using world = new Arm64();
  const queueFile = join(world.base, 'queue');
  const cookie = (task: string): string => `${task}.83f0983fe2d61c9e`;
  const [first, second, third] = [
    await world.shim('first'),
    await world.shim('second'),
    await world.shim('third'),
  ];
  const gate = join(world.base, 'gate');
  const running = first.request(`until [ -e '${gate}' ]; do sleep 0.02; done`, {
    queueFile,
    order: 1,
    limit: 1,
  });
  assert.equal(await first.start(running), 0);
  const task = 'bgb-0123abce0123';
  assert.equal(
    await second.start(
      second.request('echo ran', { task, cookie: cookie(task), queueFile, order: 2, limit: 1, queued: true }),
    ),
    0,
  );
  const other = 'bgb-0123abcf0123';
  const after = { task, log: second.log, seal: sealOf(exitProof) };
  const follower = { task: other, cookie: cookie(other), queueFile, order: 3, limit: 1, queued: true, after };
  assert.equal(await third.start(third.request('echo ran', follower)), 0);
  assert.equal((await fact(second, 'waiting')).locks, true);
  await fact(third, 'waiting');
  assert.deepEqual([second.written(), third.written()], [null, null]);
  await run(await world.shim('opener'), `: >'${gate}'`);
  assert.deepEqual([(await fact(second, 'exit')).code, (await fact(third, 'exit')).code], [0, 0]);
  assert.deepEqual([second.written(), third.written()], ['ran\n', 'ran\n']);
  assert.equal(sealOf(goneProof), exitProof);
});
