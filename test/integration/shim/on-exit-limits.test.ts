import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Fact } from '../../../src/model/facts.ts';
import type { HookedFact } from '../../../src/model/hook-facts.ts';
import type { ShimRequest } from '../../../src/shim/request.ts';
import { BareShim } from '../../support/bare-shim.ts';
import { notedBy, notingHook, untilHooked } from '../../support/hooks.ts';
import { factOf, hasFact } from '../../support/logs.ts';
import { untilPrinted } from '../../support/ready.ts';
import { SmallDisk } from '../../support/small-disk.ts';
import { isLive, quote, World, waitFor } from '../../support/world.ts';

/** A shim of a test's own, whose hook has less than a minute. */
class Hooked {
  readonly shim: BareShim;
  readonly output: string;
  readonly #folder: string;

  private constructor(shim: BareShim, folder: string) {
    this.shim = shim;
    this.#folder = folder;
    this.output = `${folder}/hook`;
  }

  static async in(world: World): Promise<Hooked> {
    return new Hooked(await BareShim.in(world.base), world.base);
  }

  async start(
    command: string,
    hook: string,
    hookMs: number,
    { before = [], ...rest }: Partial<ShimRequest> & { readonly before?: readonly string[] } = {},
  ): Promise<void> {
    const more: Partial<ShimRequest> = {
      ...rest,
      hook,
      hookMs,
      hookOutput: this.output,
      hookFolder: this.#folder,
    };
    assert.equal(await this.shim.start(this.shim.request(command, more), before), 0);
  }

  async end(): Promise<HookedFact> {
    const isHooked = (fact: Fact): fact is HookedFact => fact.fact === 'hooked';
    await waitFor(() => this.shim.facts().some(isHooked), 'the hook to end');
    const [found, ...others] = this.shim.facts().filter(isHooked);
    assert.ok(found !== undefined && others.length === 0);
    return found;
  }

  /** The pids that the hook has written into its output. */
  pids(): number[] {
    return readFileSync(this.output, 'utf8').trim().split(/\s+/).map(Number);
  }
}

test('if nobody reaps orphans, the shim stays until its hook has ended', async () => {
  await using world = new World();
  const hooked = await Hooked.in(world);
  // Such a shim is the child that was started: when it has ended, so have those that it had to reap.
  await hooked.start('exit 3', 'sleep 0.2; exit 4', 20_000, { stays: true });
  assert.equal((await hooked.end()).code, 4);
  const runner = hooked.shim.facts().find((fact) => fact.fact === 'hook')?.pid ?? 0;
  assert.equal(existsSync(`/proc/${runner}`), false);
});

test('a hook that takes too long is stopped with everything that it has started', async () => {
  await using world = new World();
  const hooked = await Hooked.in(world);
  const daemon = `setsid sh -c 'trap "" TERM; echo $$; exec sleep 61' &`;
  await hooked.start('exit 3', `trap '' TERM; echo $$; ${daemon} sleep 62 & echo $!; wait`, 700);
  const { code, exitSignal, cause, errno } = await hooked.end();
  assert.deepEqual([code, exitSignal, cause, errno], [null, null, 'timeout', null]);
  assert.equal(hooked.pids().length, 3);
  await waitFor(() => hooked.pids().every((pid) => !isLive(pid)), 'them to be gone');
});

test('leftovers of a hook may run for the rest of its time', async () => {
  await using world = new World();
  const hooked = await Hooked.in(world);
  await hooked.start('true', `setsid sleep 61 & echo $!`, 1_500);
  const { code, cause } = await hooked.end();
  assert.deepEqual([code, cause], [0, null]);
  const [pid = 0] = hooked.pids();
  assert.ok(isLive(pid));
  await waitFor(() => !isLive(pid), 'it to be gone');
});

test('a hook that writes too much is stopped', async () => {
  await using world = new World();
  const hooked = await Hooked.in(world);
  await hooked.start('true', 'yes', 20_000);
  assert.equal((await hooked.end()).cause, 'output_limit');
  assert.ok(statSync(hooked.output).size > 16 * 1024 ** 2);
});

test('the record says that a signal ended a hook', async () => {
  await using world = new World();
  const hooked = await Hooked.in(world);
  await hooked.start('true', 'kill -ABRT $$', 20_000);
  const { code, exitSignal } = await hooked.end();
  assert.deepEqual([code, exitSignal], [null, 'SIGABRT']);
});

test('if a file already exists in the place of its output, a hook does not run, and the record says why', async () => {
  await using world = new World();
  const hooked = await Hooked.in(world);
  writeFileSync(hooked.output, 'theirs');
  await hooked.start('true', `touch ${quote(`${world.base}/ran`)}`, 20_000);
  assert.equal((await hooked.end()).errno, 17);
  assert.equal(existsSync(`${world.base}/ran`), false);
  assert.equal(readFileSync(hooked.output, 'utf8'), 'theirs');
});

test('a hook whose shim was killed before the end does not run', async () => {
  await using world = new World();
  const store = await world.store();
  const session = await store.session('test');
  const task = await session.spawn('echo ready; exec sleep 60', { onExit: notingHook(world) });
  await untilPrinted(task);
  const { shimPid, pid } = factOf(world.logOf(task.id), 'started');
  process.kill(shimPid, 'SIGKILL');
  assert.equal((await task.wait()).status, 'lost');
  process.kill(pid, 'SIGKILL');
  assert.equal((await store.inspect(task.id)).onExit?.state, 'not_run');
  assert.deepEqual(notedBy(world), []);
});

test('a hook goes on when the shim is killed meanwhile, and its end is recorded', async () => {
  await using world = new World();
  const store = await world.store();
  const session = await store.session('test');
  const go = `${world.base}/go`;
  const onExit = `${notingHook(world)}; while [ ! -e ${quote(go)} ]; do sleep 0.02; done; exit 6`;
  const task = await session.spawn('sleep 60 & exit 1', { onExit });
  await task.wait();
  await waitFor(() => notedBy(world).length === 1, 'the hook to run');
  const { shimPid } = factOf(world.logOf(task.id), 'started');
  process.kill(shimPid, 'SIGKILL');
  assert.equal((await store.inspect(task.id)).onExit?.state, 'running');
  writeFileSync(go, '');
  await untilHooked(world, task);
  assert.deepEqual(notedBy(world), [`${task.id} failed [1]`]);
  const { onExit: found } = await store.inspect(task.id);
  assert.deepEqual([found?.state, found?.exitCode], ['ended', 6]);
  await task.kill();
});

test('after a hook runner was killed, nobody knows how its hook ended', async () => {
  await using world = new World();
  const store = await world.store();
  const session = await store.session('test');
  const task = await session.spawn('true', { onExit: `${notingHook(world)}; exec sleep 60` });
  await waitFor(() => notedBy(world).length === 1, 'the hook to run');
  process.kill(factOf(world.logOf(task.id), 'hook').pid, 'SIGKILL');
  await waitFor(async () => (await store.inspect(task.id)).onExit?.state === 'unknown', 'that to be told');
  assert.deepEqual(notedBy(world).length, 1);
});

test('if the record is gone at the end, no hook runs', async () => {
  await using world = new World();
  const session = await world.session();
  const go = `${world.base}/go`;
  const task = await session.spawn(`while [ ! -e ${quote(go)} ]; do sleep 0.02; done`, {
    onExit: notingHook(world),
  });
  await waitFor(() => hasFact(world.logOf(task.id), 'started'), 'the command to run');
  const { shimPid } = factOf(world.logOf(task.id), 'started');
  rmSync(world.logOf(task.id));
  writeFileSync(go, '');
  await waitFor(() => !isLive(shimPid), 'the shim to end');
  assert.deepEqual(notedBy(world), []);
});

test('on a full disk a hook waits until the record says that it runs, and runs once', async () => {
  await using world = new World();
  const disk = new SmallDisk(world);
  await using agent = await disk.agent();
  const id = await agent.run(
    async ({ session, fs, childProcess, store }, { command, onExit, fill, go }) => {
      const task = await session.spawn(command, { onExit });
      while (task.snapshot().status !== 'running') await new Promise((next) => setTimeout(next, 5));
      childProcess.spawnSync('sh', ['-c', fill]);
      const file = fs
        .readdirSync(store.dir, { recursive: true, encoding: 'utf8' })
        .find((path) => path.endsWith(`${task.id}.jsonl`));
      // Garbage takes the room that was kept for the end.
      childProcess.spawnSync('sh', ['-c', `head -c 5000 /dev/zero >>${store.dir}/${file}`]);
      fs.writeFileSync(go, '');
      await task.wait({ ack: false });
      return task.id;
    },
    {
      command: disk.waiting('exit 7'),
      onExit: notingHook(world),
      fill: disk.fill,
      go: `${world.base}/go`,
    },
  );
  assert.deepEqual(notedBy(world), []);
  await agent.run(({ fs }, path) => fs.rmSync(path), `${disk.mount}/filler`);
  await waitFor(() => notedBy(world).length > 0, 'the hook to run');
  assert.deepEqual(notedBy(world), [`${id} failed [7]`]);
  await agent.run(async ({ store }, taskId) => {
    while ((await store.inspect(taskId)).onExit?.state !== 'ended')
      await new Promise((next) => setTimeout(next, 5));
  }, id);
});

test('a shim with a hook has wiped its request from memory, and its environment once the hook runs', async () => {
  await using world = new World();
  const session = await world.session();
  const go = `${world.base}/go`;
  const waits = `while [ ! -e ${quote(go)} ]; do sleep 0.02; done`;
  const env = { SECRET: 'a secret' };
  const task = await session.spawn(`sleep 60 & echo ready; ${waits}`, {
    env,
    onExit: `${notingHook(world)}; rm ${quote(go)}; ${waits}`,
  });
  await untilPrinted(task);
  const { shimPid } = factOf(world.logOf(task.id), 'started');
  const environ = (pid: number): string => readFileSync(`/proc/${pid}/environ`, 'latin1');
  assert.match(environ(shimPid), /SECRET=a secret/);
  assert.doesNotMatch(environ(shimPid), /OUTLIVE_REQUEST=.*Proof/s);
  writeFileSync(go, '');
  await waitFor(() => notedBy(world).length === 1 && !existsSync(go), 'the hook to run');
  const { pid } = factOf(world.logOf(task.id), 'hook');
  // Each of them does so when its turn to run comes.
  const isWiped = (one: number): boolean => !/SECRET/.test(environ(one));
  await waitFor(() => [shimPid, pid].filter(isLive).every(isWiped), 'both environments to be wiped');
  writeFileSync(go, '');
  await untilHooked(world, task);
  await task.kill({ graceMs: 0 });
});

for (const [error, times] of [
  ['EIO', 1],
  ['ENOMEM', 2],
  ['EIO', 3],
] as const)
  test(`a hook is told how its task ended although the record could not be read at first: ${error}, ${times}`, async () => {
    await using world = new World();
    const hooked = await Hooked.in(world);
    // The command looks at the record once before, and may not run when it cannot.
    const inject = `inject=fstat,newfstatat:error=${error}:when=2..${1 + times}`;
    const before = ['strace', '-f', '-qq', '-o', '/dev/null', '-P', hooked.shim.log, '-e', inject];
    await hooked.start('sleep 1000', 'echo $OUTLIVE_STATUS', 20_000, { timeoutMs: 1_000, before });
    assert.equal((await hooked.end()).code, 0);
    assert.equal(readFileSync(hooked.output, 'utf8'), 'timed_out\n');
  });
