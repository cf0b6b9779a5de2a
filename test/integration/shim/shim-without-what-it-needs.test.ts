import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Fact } from '../../../src/model/facts.ts';
import { BareShim } from '../../support/bare-shim.ts';
import { checkItSleeps } from '../../support/cpu-time.ts';
import { refusing } from '../../support/seccomp.ts';
import { isLive, quote, World, waitFor } from '../../support/world.ts';

const EPERM = 1;

function has(shim: BareShim, kind: Fact['fact']): boolean {
  return shim.facts().some(({ fact }) => fact === kind);
}

function shimOf(shim: BareShim): number {
  const started = shim.facts().find((fact) => fact.fact === 'started');
  assert.ok(started !== undefined);
  return started.shimPid;
}

/** A process that is the shim of another task by its name and what it carries. It goes on until its end. */
class NestedShim {
  readonly command: string;
  readonly #pid: string;

  constructor({ base }: World) {
    this.#pid = `${base}/pid`;
    copyFileSync('/bin/sleep', `${base}/outlive-shim`);
    const program = `OUTLIVE_TASK=bgb-0123456789ab.f setsid ${quote(`${base}/outlive-shim`)}`;
    const isThere = 'until grep -qsx outlive-shim /proc/$!/comm; do sleep 0.01; done';
    this.command = `${program} 1000 & echo $! >${quote(this.#pid)}; ${isThere}`;
  }

  get pid(): number {
    return Number(readFileSync(this.#pid, 'utf8'));
  }

  end(): void {
    if (isLive(this.pid)) process.kill(this.pid, 'SIGKILL');
  }
}

for (const [pumped, descriptors] of [
  [false, [8, 10, 12, 14, 20]],
  [true, [8, 10, 12, 13, 14, 15, 16, 17, 18, 24]],
] as const) {
  test(`${pumped ? 'with a pump' : 'without a pump'} a shim with few descriptors runs its command completely, or not at all`, async () => {
    await using world = new World();
    const shim = await BareShim.in(world.base);
    let whole = 0;
    for (const count of descriptors) {
      shim.forget();
      const [error, queueFile] = [`${world.base}/error-${count}`, `${world.base}/queue`];
      const bound = { pid: process.pid, start: null };
      const more = { pumped, err: error, queueFile, order: 1, limit: 5, bound };
      const before = ['sh', '-c', `ulimit -n ${count}; exec "$@"`, 'sh'];
      assert.equal(await shim.start(shim.request('seq 1 20000; echo end >&2', more), before), 0);
      await waitFor(() => has(shim, 'exit'), `the end with ${count} descriptors`);
      const exit = shim.facts().find((fact) => fact.fact === 'exit');
      if (exit?.ran === false) continue;
      whole += 1;
      await waitFor(() => !isLive(shimOf(shim)), 'the end of the shim');
      assert.deepEqual([exit?.code, exit?.bytes, shim.written()?.length], [0, 108_898, 108_894]);
      assert.equal(readFileSync(error, 'utf8'), 'end\n');
    }
    assert.ok(whole > 0 && whole < descriptors.length, `${whole} ran`);
  });
}

test('a shim without a descriptor for signals still notices a stop, and the end of the process it is bound to', async () => {
  await using world = new World();
  const shim = await BareShim.in(world.base);
  const before = [
    'strace',
    '-f',
    '-qq',
    '-o',
    '/dev/null',
    '-e',
    'trace=signalfd4',
    '-e',
    'inject=signalfd4:error=EMFILE',
  ];
  const other = spawn('sleep', ['1000'], { stdio: 'ignore' });
  const request = shim.request('sleep 1000', { bound: { pid: other.pid ?? 0, start: null } });
  const end = shim.start(request, before);
  await waitFor(() => has(shim, 'started'), 'the start');
  other.kill();
  await waitFor(() => has(shim, 'exit'), 'the end of the command');
  await end;
});

test('a shim whose command cannot be killed and reopens its output still sleeps', async () => {
  await using world = new World();
  const shim = await BareShim.in(world.base);
  const before = refusing(world, [{ call: 'kill' }, { call: 'pidfd_send_signal' }], EPERM);
  const go = `${world.base}/go`;
  const opens = `until [ -e ${quote(go)} ]; do sleep 0.05; echo x >>/dev/stdout; done`;
  const request = shim.request(opens, { timeoutMs: 200, graceMs: 1, slots: `${world.base}/slots` });
  assert.equal(await shim.start(request, before), 0);
  await waitFor(() => has(shim, 'left'), 'the end of the stop');
  await checkItSleeps(shimOf(shim));
  writeFileSync(go, '');
  await waitFor(() => has(shim, 'exit'), 'the end of the command');
});

for (const [what, words] of [
  ['a list of processes that breaks off', ['-e', 'inject=getdents64:error=EIO:when=1']],
  ['three of them', ['-e', 'inject=getdents64:error=ENOMEM:when=1..3']],
  ['no descriptor for it', ['-P', '/proc', '-e', 'inject=open,openat:error=EMFILE:when=1..2']],
] as const) {
  test(`a shim that could not see whether processes are left checks again: ${what}`, async () => {
    await using world = new World();
    const shim = await BareShim.in(world.base);
    const nested = new NestedShim(world);
    const before = ['strace', '-f', '-qq', '-o', '/dev/null', ...words];
    const end = shim.start(shim.request(nested.command, { leftovers: 'wait' }), before);
    try {
      await waitFor(() => has(shim, 'gone'), 'the end of the task');
      await waitFor(() => !isLive(shimOf(shim)), 'the end of the shim');
      assert.equal(shim.facts().find((fact) => fact.fact === 'exit')?.left, null);
    } finally {
      nested.end();
      await end;
    }
  });
}

/** More than are started until a process has its own. */
const nextPids = 1_000;

for (const code of ['EMFILE', 'ENOMEM', 'EIO'])
  test(`a stop spares the shim of another task whose environment could not be read at first: ${code}`, async () => {
    await using world = new World();
    const shim = await BareShim.in(world.base);
    const nested = new NestedShim(world);
    const last = Number(readFileSync('/proc/loadavg', 'utf8').trim().split(' ').at(-1));
    const paths = Array.from({ length: nextPids }, (_, n) => ['-P', `/proc/${last + n}/environ`]);
    const inject = ['-e', `inject=open,openat:error=${code}:when=1..3`];
    const before = ['strace', '-f', '-qq', '-o', '/dev/null', ...paths.flat(), ...inject];
    const request = shim.request(`${nested.command}; sleep 1000`, { leftovers: 'kill', timeoutMs: 1_000 });
    const end = shim.start(request, before);
    try {
      await waitFor(() => has(shim, 'exit'), 'the end of the command');
      await waitFor(() => !isLive(shimOf(shim)), 'the end of the shim');
      assert.ok(isLive(nested.pid), 'it lives');
    } finally {
      nested.end();
      await end;
    }
  });
