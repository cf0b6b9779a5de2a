import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Session, Task } from '../../../src/index.ts';
import { ran } from '../../support/ran.ts';
import { untilPrinted } from '../../support/ready.ts';
import { isLive, World, waitFor } from '../../support/world.ts';

const tty = { cols: 90, rows: 20 };
const resizePauseMs = 100; // RESIZE_PAUSE_MS of native/src/terminal.c

async function textOf(task: Task): Promise<string> {
  return (await task.read()).text;
}

/** A shell that waits for its first line. */
async function interactiveBash(session: Session): Promise<Task> {
  const task = await session.spawn(['bash', '--norc', '-i'], { tty, env: { PS1: '$ ' } });
  await untilPrinted(task, '$ ');
  return task;
}

test('a command in a terminal has it as stdin, stdout and stderr, with its size and no other', async () => {
  await using world = new World();
  const session = await world.session();
  const look = 'test -t 0 && test -t 1 && test -t 2 && stty size; echo "$TERM,$COLUMNS,$LINES"';
  const env = { COLUMNS: undefined, LINES: undefined };
  const { text } = await ran(session, look, { tty, env, shell: 'sh' });
  assert.equal(text, '20 90\r\nxterm-256color,,\r\n');
  const other = await ran(session, 'echo $TERM', { tty, env: { TERM: 'vt100' } });
  assert.equal(other.text, 'vt100\r\n');
});

test('quick commands lose none of their last output', async () => {
  await using world = new World();
  const session = await world.session();
  const many = await Promise.all(
    Array.from({ length: 20 }, (_, n) => ran(session, `seq ${3000 + n}`, { tty })),
  );
  for (const [n, { snapshot }] of many.entries()) {
    assert.equal(snapshot.exitCode, 0);
    const lines = readFileSync(snapshot.output.path, 'utf8').split('\r\n');
    assert.equal(lines.length, 3001 + n);
    assert.equal(lines.at(-2), String(3000 + n));
    assert.equal(snapshot.output.bytes, readFileSync(snapshot.output.path).length);
  }
});

test('an interactive bash has job control, and answers line by line', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await interactiveBash(session);
  await task.send('sleep 1000\n');
  await waitFor(() => world.pidsOf(task.id).length === 2, 'sleep');
  await task.send('', { press: ['ctrl-z'] });
  await untilPrinted(task, 'Stopped');
  await task.send('jobs; kill -9 %1; wait; echo back-$((40 + 2))\n');
  await untilPrinted(task, 'back-42');
  await task.send('exit 7\n');
  assert.equal((await task.wait()).exitCode, 7);
});

test('Ctrl-C goes to the foreground process group, and the shell goes on', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await interactiveBash(session);
  await task.send('sleep 1000\n');
  // Until it is called sleep, it is a shell that may not lead the foreground group yet.
  const isSleep = (pid: number): boolean => readFileSync(`/proc/${pid}/comm`, 'utf8') === 'sleep\n';
  await waitFor(() => world.pidsOf(task.id).some(isSleep), 'sleep');
  await task.send('', { press: ['ctrl-c'] });
  await waitFor(() => world.pidsOf(task.id).length === 1, 'the end of sleep');
  await task.send('echo status-$?\n');
  await untilPrinted(task, 'status-130');
  await task.send('exit\n');
  await task.wait();
});

test('an interactive shell, which ignores SIGTERM, ends at the SIGHUP that follows', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await interactiveBash(session);
  const ended = await task.kill({ graceMs: 15_000 });
  assert.equal(ended.status, 'killed');
  assert.equal(ended.exitSignal, 'SIGHUP');
});

test('a command that cleans up at SIGTERM can do so before its terminal hangs up', async () => {
  await using world = new World();
  const session = await world.session();
  const command = 'trap "echo cleaned; exit 3" TERM; echo ready; while :; do sleep 0.01; done';
  const task = await session.spawn(command, { tty });
  await untilPrinted(task);
  assert.equal((await task.kill({ graceMs: 15_000 })).exitCode, 3);
  assert.match(await textOf(task), /cleaned/);
});

test('a stop also ends processes with their own group in the terminal', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await interactiveBash(session);
  await task.send('sleep 1000 & (setsid sleep 1000 &)\n');
  await waitFor(() => world.pidsOf(task.id).length === 3, 'both');
  assert.deepEqual((await task.kill({ graceMs: 500 })).leftovers, []);
  assert.deepEqual(world.pidsOf(task.id), []);
});

test('a terminal is resized by any process, and each size is noted with its place in the output', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn(
    'trap "stty size" WINCH; echo ready; while [ ! -e go ]; do sleep 0.02; done; stty size',
    { tty, cwd: world.base },
  );
  await untilPrinted(task);
  const other = await world.session();
  await other.task(task.id).resize({ cols: 100, rows: 30 });
  await untilPrinted(task, '30 100');
  // Faster than they are set: the last one counts.
  const begin = Date.now();
  for (let rows = 1; rows <= 40; rows += 1) await task.resize({ cols: 120, rows });
  await untilPrinted(task, '40 120');
  // One is set at once, then one in each pause: on a slow machine the forty take longer, and more of them are set.
  const most = 2 + Math.ceil((Date.now() - begin) / resizePauseMs);
  await session.run('touch go', { cwd: world.base });
  await task.wait();
  const sizes = readFileSync(`${world.sessionOf(task.id).output}/${task.id}.out.sizes`);
  assert.equal(sizes.subarray(0, 13).toString(), 'outlive sizes');
  const records = Array.from({ length: sizes.length / 16 - 1 }, (_, at) => sizes.subarray(16 * (at + 1)));
  assert.ok(
    records.length >= 2 && records.length <= 1 + most,
    `${records.length} records, ${most} sizes at most`,
  );
  const output = readFileSync(task.snapshot().output.path);
  const [first, last] = [records[0], records.at(-1)] as [Buffer, Buffer];
  assert.deepEqual([first.readUInt16LE(8), first.readUInt16LE(10)], [100, 30]);
  assert.deepEqual([last.readUInt16LE(8), last.readUInt16LE(10)], [120, 40]);
  // The size that a program tells stands after the place of its note.
  assert.match(output.subarray(Number(first.readBigUInt64LE(0))).toString(), /^30 100\r\n/);
});

test('invalid sizes and missing terminals have their own errors', async () => {
  await using world = new World();
  const session = await world.session();
  const plain = await session.spawn('sleep 1000', { stdin: 'open' });
  await assert.rejects(plain.resize({ cols: 80, rows: 24 }), { code: 'NO_TERMINAL' });
  await assert.rejects(plain.send('', { press: ['enter'] }), { code: 'NO_TERMINAL' });
  await assert.rejects(plain.resize({ cols: 0, rows: 24 }), { code: 'INVALID_ARGUMENT' });
  await assert.rejects(plain.send('', { press: ['hyper-x'] }), {
    code: 'INVALID_ARGUMENT',
    message: /enter, escape/,
  });
  await plain.kill({ graceMs: 0 });
});

test('a line that the kernel would cut is refused, but not in a raw terminal', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn(
    'echo ready; head -n 1 | wc -c; stty raw; echo raw; head -c 5000 | wc -c',
    { tty },
  );
  await untilPrinted(task);
  await assert.rejects(task.send(`${'x'.repeat(4_096)}\n`), {
    code: 'INVALID_ARGUMENT',
    message: /lines of at most 4095 bytes/,
  });
  await task.send(`${'x'.repeat(4_000)}\n`);
  await untilPrinted(task, 'raw');
  await task.send('x'.repeat(5_000));
  assert.equal((await task.wait()).exitCode, 0);
  assert.match(await textOf(task), /4001[\s\S]*5000/);
});

test('when the shim dies, the terminal hangs up, the task is lost, and its output stays', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('echo before; sleep 1000', { tty });
  await untilPrinted(task, 'before');
  const { shimPid, pid } = task.snapshot();
  process.kill(shimPid ?? 0, 'SIGKILL');
  const ended = await task.wait();
  assert.equal(ended.status, 'lost');
  await waitFor(() => !isLive(pid ?? 0), 'the command to end');
  assert.equal(await textOf(task), 'before\r\n');
});

test('a program that has closed its terminal can open it again', async () => {
  await using world = new World();
  const session = await world.session();
  const command = 'exec < /dev/null > /dev/null 2>&1; sleep 0.3; echo again > /dev/tty';
  const { text } = await ran(session, command, { tty });
  assert.equal(text, 'again\r\n');
});

test('leftovers of the command do not delay its end, and are named', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('(trap "" HUP; sleep 1000) & sleep 0.2; echo done', { tty });
  const ended = await task.wait();
  assert.equal(ended.exitCode, 0);
  assert.match(await textOf(task), /done/);
  await waitFor(() => task.snapshot().leftovers.length > 0, 'the leftover to be named');
  await task.kill({ graceMs: 0 });
});

test('the output of a terminal has its limit, to the byte', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('yes', { tty, maxOutputBytes: 100_000 });
  const ended = await task.wait();
  assert.deepEqual([ended.status, ended.statusReason], ['killed', 'output_limit']);
  assert.equal(readFileSync(ended.output.path).length, 100_000);
});
