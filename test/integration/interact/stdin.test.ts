import assert from 'node:assert/strict';
import { existsSync, lstatSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { ran } from '../../support/ran.ts';
import { untilPrinted, untilStarted } from '../../support/ready.ts';
import { World, waitFor } from '../../support/world.ts';

test('a command reads all data, and then the end of its input', async () => {
  await using world = new World();
  const session = await world.session();
  for (const data of ['', 'a line\n', 'no line break', '\0\xff', 'x'.repeat(200_000)]) {
    const { text, snapshot } = await ran(session, 'cat; echo end', { stdin: { data } });
    assert.equal(text, `${data}end\n`);
    assert.equal(snapshot.stdin, 'data');
  }
});

test('many megabytes of data arrive whole, byte for byte', async () => {
  await using world = new World();
  const session = await world.session();
  const data = Buffer.alloc(9_000_001, 0xfe);
  const { text } = await ran(session, 'wc -c; head -c 3 | xxd -p', { stdin: { data } });
  assert.match(text, /^9000001\n/);
  await assert.rejects(session.spawn('cat', { stdin: { data: Buffer.alloc(16 * 1024 ** 2 + 1) } }), {
    code: 'INVALID_ARGUMENT',
    message: /at most 16777216 bytes/,
  });
});

test('a command that reads nothing sees the end of its input at once', async () => {
  await using world = new World();
  const session = await world.session();
  const { text, snapshot } = await ran(session, 'cat; echo end', {});
  assert.equal(text, 'end\n');
  assert.equal(snapshot.stdin, 'none');
});

test('sent input is read in order, until the input ends', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('cat', { stdin: 'open' });
  for (let line = 0; line < 50; line += 1) await task.send(`line ${line}\n`);
  await untilPrinted(task, 'line 49');
  await task.send(Buffer.from([0, 255, 10]), { eof: true });
  assert.equal((await task.wait()).status, 'completed');
  const expected = Array.from({ length: 50 }, (_, line) => `line ${line}\n`).join('');
  const bytes = (await task.read()).bytes;
  assert.deepEqual(bytes, Buffer.concat([Buffer.from(expected), Buffer.from([0, 255, 10])]));
});

test('a megabyte that is sent arrives whole, however slowly it is read', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('sleep 0.3; cat | wc -c', { stdin: 'open' });
  await task.send('x'.repeat(1_000_000), { eof: true });
  await task.wait();
  assert.match((await task.read()).text, /^\s*1000000\n$/);
});

test('several processes send at once, and each piece stays whole', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('cat', { stdin: 'open' });
  const lines = Array.from({ length: 8 }, (_, sender) => `${String(sender).repeat(2_000)}\n`);
  await Promise.all(lines.map((line) => task.send(line)));
  await task.send('', { eof: true });
  await task.wait();
  const { text } = await task.read();
  assert.deepEqual(text.split('\n').filter(Boolean).sort(), lines.map((line) => line.trim()).sort());
});

test('a task takes input from another process, also when its agent is gone', async () => {
  await using world = new World();
  const first = await world.session();
  const task = await first.spawn('head -n 1', { stdin: 'open' });
  await untilStarted(world, task.id);
  await first.close();
  const second = await world.session();
  await second.task(task.id).send('from another\n');
  assert.equal((await second.task(task.id).wait()).exitCode, 0);
  assert.equal((await second.task(task.id).read()).text, 'from another\n');
});

test('the socket of a task is private, and the end of the command removes it', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('cat', { stdin: 'open' });
  await untilStarted(world, task.id);
  const folder = world.sessionOf(task.id).output;
  assert.ok(readdirSync(folder).includes(`${task.id}.sock`));
  assert.equal(lstatSync(`${folder}/${task.id}.sock`).mode & 0o777, 0o600);
  await task.send('', { eof: true });
  await task.wait();
  await waitFor(() => !existsSync(`${folder}/${task.id}.sock`), 'the socket to go');
});

test('a command whose input has ended is distinguished from one that reads nothing', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('cat; sleep 1000', { stdin: 'open' });
  await task.send('', { eof: true });
  await assert.rejects(task.send('more'), { code: 'INPUT_CLOSED', message: /its input has ended/ });
  await task.kill({ graceMs: 0 });
  await assert.rejects(task.send('more'), { code: 'INPUT_CLOSED', message: /it has ended/ });
  const none = await session.spawn('sleep 1000');
  await assert.rejects(none.send('more'), { code: 'INPUT_CLOSED', message: /--stdin/ });
  await none.kill({ graceMs: 0 });
});

test('unread input is kept up to a limit, and then refused with an error', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('sleep 1000', { stdin: 'open' });
  await assert.rejects(task.send('x'.repeat(500_000), { timeoutMs: 300 }), { code: 'INPUT_FULL' });
  // It can be stopped all the same.
  assert.equal((await task.kill({ graceMs: 0 })).status, 'killed');
});

test('invalid input options are refused before anything is started', async () => {
  await using world = new World();
  const session = await world.session();
  const wrong: [options: object, message: RegExp][] = [
    [{ stdin: 'closed' }, /none, inherit, open, inherit-open, or \{ data \}/],
    [{ stdin: { date: '' } }, /did you mean "data"/],
    [{ stdin: { data: 7 } }, /text or bytes/],
    [{ stdin: 'none', tty: { cols: 80, rows: 24 } }, /open, inherit-open with a tty/],
    [{ tty: { cols: 0, rows: 24 } }, /tty\.cols to be a whole number from 2 to 1000/],
    [{ tty: { cols: 80, rows: 100_000 } }, /tty\.rows/],
    [{ tty: { cols: 80, rows: 24 }, separate: true }, /separate/],
    [{ tty: { cols: 80, rows: 24 }, output: 'pipe' }, /output/],
  ];
  for (const [options, message] of wrong)
    await assert.rejects(session.spawn('true', options), { code: 'INVALID_ARGUMENT', message });
  assert.deepEqual(await session.tasks(), []);
});

test('input waits for a queued command, and what is sent before it starts is refused', async () => {
  await using world = new World();
  const session = await world.session('test', { maxRunning: 1 });
  const first = await session.spawn('sleep 1000');
  const second = await session.spawn('cat', { stdin: 'open', onLimit: 'queue' });
  await waitFor(() => second.snapshot().status === 'queued', 'the queue');
  await assert.rejects(second.send('x'), { code: 'INPUT_CLOSED', message: /waits for its turn/ });
  await first.kill({ graceMs: 0 });
  await untilStarted(world, second.id);
  await second.send('in its turn', { eof: true });
  await second.wait();
  assert.equal((await second.read()).text, 'in its turn');
});
