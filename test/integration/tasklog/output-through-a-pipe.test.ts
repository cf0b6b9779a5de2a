import assert from 'node:assert/strict';
import { chmodSync, existsSync, lstatSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { RunOptions, Session } from '../../../src/index.ts';
import { factsOf } from '../../support/logs.ts';
import { SmallDisk } from '../../support/small-disk.ts';
import { fixture, isLive, quote, World, waitFor } from '../../support/world.ts';

const piped = { output: 'pipe' } as const;
const pipe = { ...piped, waitMs: 20_000 } as const;

/** What a command writes, all of it. */
async function written(session: Session, command: string, options: RunOptions = pipe): Promise<string> {
  const { snapshot } = await session.run(command, options);
  assert.equal(snapshot.status, 'completed', command);
  assert.equal(snapshot.output.bytes, lstatSync(snapshot.output.path).size);
  return readFileSync(snapshot.output.path, 'utf8');
}

test('a command that opens /dev/stdout and /dev/stderr by name erases nothing', async () => {
  await using world = new World();
  const session = await world.session();
  const words = `${world.base}/words`;
  const program = `${world.base}/program.c`;
  const script = `${world.base}/script`;
  writeFileSync(words, 'b\na\n');
  writeFileSync(program, 'int one;\n');
  writeFileSync(script, '#!/bin/sh\necho inside > /dev/stderr\n');
  chmodSync(script, 0o700);
  const cases: [command: string, text: string][] = [
    ['echo one; echo two > /dev/stderr; echo three', 'one\ntwo\nthree\n'],
    ['echo one; echo two > /dev/stdout; echo three', 'one\ntwo\nthree\n'],
    [`echo one; sort -o /dev/stdout ${quote(words)}; echo three`, 'one\na\nb\nthree\n'],
    [`echo one; gcc -E -P -x c -o /dev/stdout ${quote(program)}; echo three`, 'one\nint one;\nthree\n'],
    [`echo one; ${quote(script)}; echo three`, 'one\ninside\nthree\n'],
    ['echo one; for i in 1 2 3; do echo $i > /proc/self/fd/1; done; echo three', 'one\n1\n2\n3\nthree\n'],
  ];
  for (const [command, text] of cases) assert.equal(await written(session, command), text, command);
  // tee writes to both, in an order of its own.
  const both = await written(session, 'echo one; seq 3 | tee /dev/stderr; echo three');
  assert.deepEqual(both.split('\n').sort(), ['', '1', '1', '2', '2', '3', '3', 'one', 'three']);
});

test('curl -D /dev/stderr keeps the header, the body and earlier output', async () => {
  await using world = new World();
  const session = await world.session();
  const server = createServer((_, response) => response.setHeader('X-Head', 'h').end('body\n'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const text = await written(session, `echo one; curl -sS -D /dev/stderr ${url}; echo three`);
    assert.match(text, /^one\n/);
    assert.match(text, /X-Head: h\r\n/);
    assert.match(text, /body\n/);
    assert.match(text, /three\n$/);
  } finally {
    server.close();
  }
});

test('separate stdout and stderr each have a pipe', async () => {
  await using world = new World();
  const session = await world.session();
  const command = 'echo out; echo err >&2; echo more > /dev/stderr; echo last > /dev/stdout';
  const { snapshot } = await session.run(command, { ...pipe, separate: true });
  assert.equal(readFileSync(snapshot.output.path, 'utf8'), 'out\nlast\n');
  assert.equal(readFileSync(snapshot.output.stderrPath ?? '', 'utf8'), 'err\nmore\n');
});

test('the output limit is exact, and the task is stopped for it', async () => {
  await using world = new World();
  const session = await world.session();
  for (const separate of [false, true]) {
    const command = 'trap "exit 3" TERM; head -c 700000 /dev/zero >&2; head -c 200M /dev/zero; sleep 1000';
    const options = { ...pipe, separate, maxOutputBytes: 1_000_000, graceMs: 2_000 };
    const { snapshot } = await session.run(command, options);
    assert.deepEqual([snapshot.status, snapshot.statusReason], ['killed', 'output_limit']);
    assert.equal(snapshot.output.bytes, 1_000_000);
  }
});

test('a task may write exactly up to the limit, to the byte', async () => {
  await using world = new World();
  const session = await world.session();
  const options = { ...pipe, maxOutputBytes: 1_000_000 };
  const { snapshot } = await session.run('head -c 1000000 /dev/zero; sleep 0.2', options);
  assert.deepEqual([snapshot.status, snapshot.output.bytes], ['completed', 1_000_000]);
});

test('the end waits for the last output, and nothing of the pipe is left', async () => {
  await using world = new World();
  const session = await world.session();
  for (let round = 0; round < 20; round += 1) {
    const { snapshot } = await session.run('seq 5000', pipe);
    assert.equal(snapshot.output.bytes, 23_893);
    const exit = factsOf(world.logOf(snapshot.taskId)).find(({ fact }) => fact === 'exit');
    assert.deepEqual(exit?.fact === 'exit' && [exit.bytes, exit.dropped], [23_893, 0]);
  }
  await waitFor(() => !world.files().some((path) => path.endsWith('.fifo')), 'the pipes to be removed');
});

test('leftovers of a command go on writing through the pipe', async () => {
  await using world = new World();
  const session = await world.session();
  const command = `echo before; (until [ -e ${quote(`${world.base}/go`)} ]; do sleep 0.02; done; echo after) &`;
  const { snapshot } = await session.run(command, pipe);
  assert.equal(snapshot.status, 'completed');
  assert.notEqual(snapshot.leftovers.length, 0);
  for (const { command: left } of snapshot.leftovers) assert.doesNotMatch(left, /^outlive-/);
  const log = world.logOf(snapshot.taskId);
  const exit = factsOf(log).find(({ fact }) => fact === 'exit');
  assert.equal(exit?.fact === 'exit' && exit.bytes, 'before\n'.length);
  writeFileSync(`${world.base}/go`, '');
  await waitFor(() => factsOf(log).some(({ fact }) => fact === 'gone'), 'the end of what was left');
  assert.equal(readFileSync(snapshot.output.path, 'utf8'), 'before\nafter\n');
});

test('leftovers of a command are killed or waited for, as with a file', async () => {
  await using world = new World();
  const session = await world.session();
  const killed = await session.run('sleep 1000 & echo started', { ...pipe, leftovers: 'kill', graceMs: 500 });
  assert.deepEqual([killed.snapshot.status, killed.snapshot.leftovers], ['completed', []]);
  const waited = await session.run('(sleep 0.3; echo late) & echo early', { ...pipe, leftovers: 'wait' });
  assert.equal(readFileSync(waited.snapshot.output.path, 'utf8'), 'early\nlate\n');
  await waitFor(() => world.pids().length === 0, 'shims and pumps to end');
});

test('a command that closes its output goes on without a pump', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('echo one; exec >/dev/null 2>&1; sleep 1000', piped);
  await waitFor(
    () => world.files().every((path) => !path.endsWith('.fifo')) && world.pids().length === 2,
    'the end of the pump',
  );
  assert.equal((await task.tail()).text, 'one\n');
  await task.kill({ graceMs: 100 });
});

test('the command gets a blocking pipe, and no other descriptor of it', async () => {
  await using world = new World();
  const session = await world.session();
  const text = await written(
    session,
    'for fd in /proc/self/fd/*; do readlink $fd; done; ls /proc/self/fd | wc -l',
  );
  assert.match(text, /^\/dev\/null\n(\S+\.out\.fifo)\n\1\n/);
});

test('bytes that the disk refused after the exit was recorded are counted, too', async () => {
  await using world = new World();
  const session = await world.session();
  const { snapshot } = await session.run('sleep 0.3 & exit 3', { ...pipe, leftovers: 'wait' });
  assert.equal(snapshot.output.droppedBytes, 0);
  // As the shim writes it, when the disk fails in between.
  const log = world.logOf(snapshot.taskId);
  const text = readFileSync(log, 'utf8');
  writeFileSync(log, text.replace('{"fact":"gone",', '{"fact":"gone","dropped":7,'));
  const store = await world.store({ readOnly: true });
  assert.equal(store.task(snapshot.taskId).snapshot().output.droppedBytes, 7);
});

test('on a full disk the command goes on, and lost bytes are counted', async () => {
  await using world = new World();
  const disk = new SmallDisk(world);
  await using agent = await disk.agent();
  const snapshot = await agent.run(
    async ({ session }, command) =>
      await (await session.spawn(command, { output: 'pipe' })).wait({ ack: false }),
    `echo begin; ${disk.fill}; head -c 3000000 /dev/zero; exit 3`,
  );
  assert.deepEqual([snapshot.status, snapshot.exitCode], ['failed', 3]);
  const { bytes, droppedBytes } = snapshot.output;
  assert.equal(bytes + droppedBytes, 'begin\n'.length + 3_000_000);
  assert.ok(droppedBytes > 2_000_000, `${droppedBytes}`);
});

test('another process that holds the pipe keeps the pump alive, but not the task or the shim', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn(
    `until [ -e ${quote(`${world.base}/go`)} ]; do sleep 0.02; done; echo last`,
    piped,
  );
  await waitFor(() => world.files().some((path) => path.endsWith('.fifo')), 'the pipe');
  const fifo = `${world.dir}${world.files().find((path) => path.endsWith('.fifo'))}`;
  assert.ok((lstatSync(fifo).mode & 0o777) === 0o600);
  const holder = await session.spawn(
    `exec 5<> ${quote(fifo)}; touch ${quote(`${world.base}/go`)}; sleep 1000`,
  );
  const end = await task.wait();
  assert.deepEqual([end.status, end.leftovers], ['completed', []]);
  await waitFor(() => !isLive(end.shimPid ?? 0), 'the end of the shim');
  assert.ok(existsSync(fifo));
  await holder.kill({ graceMs: 100 });
  await waitFor(() => !existsSync(fifo), 'the end of the pump');
});

test('with a file, a program that writes 10 MB and exits at once loses nothing', async () => {
  await using world = new World();
  const session = await world.session();
  const { snapshot } = await session.run(fixture('floods-and-exits.mjs', '10000000'), { waitMs: 20_000 });
  assert.deepEqual([snapshot.exitCode, snapshot.output.bytes], [0, 10_000_000]);
});

test('with a file, a program that shares its output with Node has no error', async () => {
  await using world = new World();
  const session = await world.session();
  const command = `${fixture('floods-and-exits.mjs', '5000000')} & head -c 5000000 /dev/zero | cat; wait`;
  const { snapshot } = await session.run(command, { waitMs: 20_000 });
  assert.deepEqual([snapshot.exitCode, snapshot.output.bytes], [0, 10_000_000]);
});
