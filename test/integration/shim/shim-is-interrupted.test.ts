import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { ExitFact } from '../../../src/model/facts.ts';
import type { ShimRequest } from '../../../src/shim/request.ts';
import { BareShim } from '../../support/bare-shim.ts';
import { quote, World, waitFor } from '../../support/world.ts';

/** What `seq 1 1000` prints. */
const printed = Array.from({ length: 1000 }, (_, index) => `${index + 1}\n`).join('');

/** What the program of the shim ends with when it lacks descriptors; see native/src/shim.h. */
const noDescriptors = 74;

/**
 * Runs a shim and all that it starts while the kernel interrupts some of their calls.
 * @param injected words of `strace --inject` for each call: its name, and the rest.
 * @param atLog only calls on the log.
 */
async function run(
  world: World,
  injected: Readonly<Record<string, string>>,
  more: Partial<ShimRequest> = {},
  atLog = false,
): Promise<{ status: number | null; shim: BareShim }> {
  const shim = await BareShim.in(world.base);
  const names = Object.keys(injected).join();
  const injections = Object.entries(injected).flatMap(([name, how]) => ['-e', `inject=${name}:${how}`]);
  const calls = ['-e', `trace=${names}`, ...injections, ...(atLog ? ['-P', shim.log] : [])];
  const before = ['strace', '-f', '-qq', '-o', '/dev/null', ...calls];
  return { status: await shim.start(shim.request('seq 1 1000', more), before), shim };
}

function exitOf(shim: BareShim): ExitFact | undefined {
  return shim.facts().find((fact) => fact.fact === 'exit');
}

for (const [what, injected] of [
  ['splice is interrupted each time', { splice: 'error=EINTR' }],
  ['splice is interrupted some times', { splice: 'error=EINTR:when=1..3' }],
  [
    'there is no splice, and a write is interrupted',
    { splice: 'error=EINVAL', pwrite64: 'error=EINTR:when=1' },
  ],
  [
    'there is no splice, and each other write is interrupted',
    { splice: 'error=EINVAL', pwrite64: 'error=EINTR:when=1+2' },
  ],
  // What the pump had read was in no FIFO and in no file when the command ended, and was not counted.
  ['there is no splice, and a write takes long', { splice: 'error=EINVAL', pwrite64: 'delay_enter=30000' }],
] as const) {
  test(`a pump carries all output when ${what}`, async () => {
    await using world = new World();
    const { shim, status } = await run(world, injected, { pumped: true });
    assert.equal(status, 0);
    const exit = exitOf(shim);
    assert.deepEqual([exit?.code, exit?.bytes, exit?.dropped], [0, printed.length, 0]);
    await waitFor(() => shim.written() === printed, 'all output');
  });
}

test('a pump that may not write drops the output, and counts it', async () => {
  await using world = new World();
  const { shim } = await run(world, { splice: 'error=EINVAL', pwrite64: 'error=EINTR' }, { pumped: true });
  assert.equal(exitOf(shim)?.code, 0);
  assert.equal(shim.written(), '');
});

test('a shim whose log cannot be written because each write is interrupted runs nothing', async () => {
  await using world = new World();
  // More than all tries for one fact, and fewer than all that are made.
  const { shim } = await run(world, { write: 'error=EINTR:when=1..300' });
  assert.deepEqual([exitOf(shim)?.ran, shim.written()], [false, '']);
});

test('a write to the log that is interrupted several times is tried again', async () => {
  await using world = new World();
  const words = ['/bin/sh', '-c', 'exit 3', 'sh'];
  const { shim } = await run(world, { write: 'error=EINTR:when=1..20' }, { words });
  assert.equal(exitOf(shim)?.code, 3);
});

test('an interrupted read of the log forbids no command', async () => {
  await using world = new World();
  const words = ['/bin/sh', '-c', 'echo ran', 'sh'];
  // Of the log alone: who loads libraries, as a shim with sanitizers and the shell do, reads these as well.
  const { shim } = await run(world, { pread64: 'error=EINTR:when=1..2' }, { words }, true);
  assert.deepEqual([exitOf(shim)?.code, shim.written()], [0, 'ran\n']);
});

test('a command that has run counts as run even if reading its message is interrupted', async () => {
  await using world = new World();
  const shim = await BareShim.in(world.base);
  const go = `${world.base}/go`;
  await shim.start(shim.request(`until [ -e ${quote(go)} ]; do sleep 0.05; done; exit 3`));
  const started = () => shim.facts().find((fact) => fact.fact === 'started');
  await waitFor(() => started() !== undefined, 'the start');
  const shimPid = started()?.shimPid ?? 0;
  const words = ['-qq', '-o', '/dev/null', '-e', 'trace=read', '-e', 'inject=read:error=EINTR:when=1..40'];
  const tracer = spawn('strace', [...words, '-p', String(shimPid)], { stdio: 'ignore' });
  const ended = once(tracer, 'exit');
  await waitFor(() => !/^TracerPid:\t0$/m.test(readFileSync(`/proc/${shimPid}/status`, 'utf8')), 'strace');
  writeFileSync(go, '');
  await ended;
  assert.deepEqual([exitOf(shim)?.ran, exitOf(shim)?.code], [true, 3]);
});

test('a lock call that is interrupted each time delays no start', async () => {
  await using world = new World();
  const queue = { queueFile: `${world.base}/queue`, order: 1, limit: 1 };
  // The first calls look at the descriptors. Without these nothing starts, and without locks it starts without a queue.
  const refused = await run(world, { fcntl: 'error=EINTR' }, queue);
  assert.deepEqual([refused.status, refused.shim.facts()], [noDescriptors, []]);
  const { status, shim } = await run(world, { fcntl: 'error=EINTR:when=6+' }, queue);
  assert.deepEqual([status, exitOf(shim)?.code], [0, 0]);
});
