import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  closeSync,
  constants,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { shimProgram } from '../../../src/shim/program.ts';
import { TestCgroup } from '../../support/cgroups.ts';
import { Chance } from '../../support/chance.ts';
import { checkItSleeps } from '../../support/cpu-time.ts';
import { hasFact } from '../../support/logs.ts';
import { attackPumps, isSequence, pumpsOf } from '../../support/pumps.ts';
import { isLive, quote, World, waitFor } from '../../support/world.ts';

const pipe = { output: 'pipe' } as const;

/** The size of the numbers from 1 to a million, a line each. */
const millionBytes = 6_888_896;

// The long form is test/prove/pump.prove.ts.
test('a pump that is killed and suspended again and again loses no byte and doubles none', async (t) => {
  await using world = new World();
  const session = await world.session();
  const burst = 'seq $((i * 50000 + 1)) $((i * 50000 + 50000))';
  const task = await session.spawn(`for i in $(seq 0 59); do ${burst}; sleep 0.02; done; exit 3`, pipe);
  let isOver = false;
  const attack = attackPumps(task.id, new Chance(t), () => isOver);
  const end = await task.wait();
  isOver = true;
  const { kills, pauses } = await attack;
  t.diagnostic(`${kills} kills, ${pauses} pauses`);
  assert.deepEqual([end.status, end.exitCode], ['failed', 3]);
  await waitFor(() => pumpsOf(task.id).length === 0, 'the end of the last pump');
  assert.ok(isSequence(end.output.path, 3_000_000));
});

test('while its pump is suspended the command waits, and goes on with it', async () => {
  await using world = new World();
  const session = await world.session();
  const [go, done] = [`${world.base}/go`, `${world.base}/done`];
  const wait = `until [ -e ${quote(go)} ]; do sleep 0.02; done`;
  const task = await session.spawn(`${wait}; seq 1 1000000; touch ${quote(done)}; sleep 1000`, pipe);
  await waitFor(() => pumpsOf(task.id).length === 1, 'the pump');
  const [pump = 0] = pumpsOf(task.id);
  process.kill(pump, 'SIGSTOP');
  writeFileSync(go, '');
  await assert.rejects(waitFor(() => existsSync(done), 'the command', 300));
  assert.equal(statSync(task.snapshot().output.path).size, 0);
  process.kill(pump, 'SIGCONT');
  await waitFor(() => existsSync(done), 'the command to go on');
  await waitFor(() => isSequence(task.snapshot().output.path, 1_000_000), 'all of its output');
  await task.kill({ graceMs: 100 });
});

test('a pump that cannot go on delays the end of its task by two seconds at most', async () => {
  await using world = new World();
  await using cgroup = new TestCgroup();
  const session = await world.session();
  const go = `${world.base}/go`;
  const task = await session.spawn(`until [ -e ${quote(go)} ]; do sleep 0.02; done; echo last`, pipe);
  await waitFor(() => pumpsOf(task.id).length === 1, 'the pump');
  const [pump = 0] = pumpsOf(task.id);
  writeFileSync(`${cgroup.dir}/cgroup.procs`, String(pump));
  writeFileSync(`${cgroup.dir}/cgroup.freeze`, '1');
  writeFileSync(go, '');
  await waitFor(() => hasFact(world.logOf(task.id), 'exit'), 'the end of the command');
  await checkItSleeps(task.snapshot().shimPid ?? 0);
  const end = await task.wait({ timeoutMs: 15_000 });
  assert.deepEqual([end.status, end.output.bytes], ['completed', 0]);
  // What was on its way comes when the pump goes on, although nothing else of the task is there.
  await waitFor(() => !isLive(end.shimPid ?? 0), 'the end of the shim');
  writeFileSync(`${cgroup.dir}/cgroup.freeze`, '0');
  await waitFor(() => !isLive(pump), 'the end of the pump');
  assert.equal((await task.tail()).text, 'last\n');
});

test('when the shim is stopped or killed the pump goes on', async () => {
  await using world = new World();
  const session = await world.session();
  for (const killSignal of ['SIGSTOP', 'SIGKILL'] as const) {
    const go = `${world.base}/go-${killSignal}`;
    const wait = `until [ -e ${quote(go)} ]; do sleep 0.02; done`;
    const task = await session.spawn(`${wait}; seq 1 1000000; sleep 1000`, pipe);
    await waitFor(() => pumpsOf(task.id).length === 1, 'the pump');
    process.kill(task.snapshot().shimPid ?? 0, killSignal);
    writeFileSync(go, '');
    await waitFor(() => isSequence(task.snapshot().output.path, 1_000_000), 'all of its output');
    if (killSignal === 'SIGKILL') assert.equal((await task.wait()).status, 'lost');
    const end = await task.kill({ graceMs: 100 });
    assert.deepEqual(end.leftovers, []);
    await waitFor(() => pumpsOf(task.id).length === 0, 'the end of the pump');
  }
});

test('when shim and pump are killed together, the process that settles the task starts another pump', async () => {
  await using world = new World();
  const session = await world.session();
  const go = `${world.base}/go`;
  const wait = `until [ -e ${quote(go)} ]; do sleep 0.02; done`;
  const command = `${wait}; seq 1 1000000; seq 1 1000000 >&2; echo three > /dev/stderr; sleep 1000`;
  const task = await session.spawn(command, { ...pipe, separate: true, maxOutputBytes: 2 * millionBytes });
  await waitFor(() => pumpsOf(task.id).length === 1, 'the pump');
  const { shimPid, output } = task.snapshot();
  for (const pid of [shimPid ?? 0, ...pumpsOf(task.id)]) process.kill(pid, 'SIGKILL');
  assert.equal((await task.wait()).status, 'lost');
  await waitFor(() => pumpsOf(task.id).length === 1, 'another pump');
  writeFileSync(go, '');
  await waitFor(() => isSequence(output.path, 1_000_000), 'stdout');
  // The limit, which nobody holds any more, still holds for the files.
  await waitFor(() => isSequence(output.stderrPath ?? '', 1_000_000), 'stderr');
  assert.equal(pumpsOf(task.id).length, 1);
  assert.deepEqual((await task.kill({ graceMs: 100 })).leftovers, []);
  await waitFor(() => pumpsOf(task.id).length === 0, 'the end of the pump');
  assert.deepEqual(
    world.files().filter((path) => path.endsWith('.fifo')),
    [],
  );
});

test('a pump has nothing of its task except the output: no input, and not the folder of the command', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('cat; sleep 1000', { ...pipe, cwd: world.base, stdin: { data: 'in' } });
  await waitFor(() => pumpsOf(task.id).length === 1, 'the pump');
  const [pid = 0] = pumpsOf(task.id);
  const open = (): string[] =>
    readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
  const { path } = task.snapshot().output;
  const expected = ['/dev/null', path, path, dirname(path), `${path}.fifo`].sort();
  await waitFor(() => readlinkSync(`/proc/${pid}/cwd`) === '/', 'the pump to leave the folder');
  assert.deepEqual(open().sort(), expected);
  await task.kill({ graceMs: 0 });
});

test('a pump that is started in the place of a shim inherits nothing from its starter, and carries all output', async () => {
  await using world = new World();
  const name = 'bgb-0123abcd0123.out';
  const [fifo, output, secret] = [
    `${world.base}/${name}.fifo`,
    `${world.base}/${name}`,
    `${world.base}/secret`,
  ];
  writeFileSync(output, '');
  writeFileSync(secret, 'secret');
  execFileSync('mkfifo', [fifo]);
  const [held, writing] = [openSync(secret, 'r'), openSync(fifo, constants.O_RDWR)];
  const pump = spawnSync(await shimProgram(world.base), ['pump', '0', world.base, name], {
    env: { OUTLIVE_TASK: 'bgb-0123abcd0123.83f0983fe2d61c9e.pump' },
    stdio: ['ignore', 'ignore', 'ignore', held, 'ignore', 'ignore', 'ignore', 'ignore', held],
  });
  assert.equal(pump.status, 0);
  const [pid = 0, ...others] = pumpsOf('bgb-0123abcd0123');
  const open =
    pid === 0 ? [] : readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
  writeSync(writing, 'all of it\n');
  for (const descriptor of [held, writing]) closeSync(descriptor);
  await waitFor(() => !isLive(pid), 'the end of the pump');
  assert.equal(others.length, 0);
  assert.deepEqual(open.sort(), [output, fifo, world.base, '/dev/null', '/dev/null', '/dev/null'].sort());
  assert.equal(readFileSync(output, 'utf8'), 'all of it\n');
});
