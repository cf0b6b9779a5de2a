import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, unlinkSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import type { Task } from '../../../src/index.ts';
import { askFrame, attachFrame, FrameReader, inputFrame, sizeFrame } from '../../../src/shim/frames.ts';
import { factsOf } from '../../support/logs.ts';
import { withoutProgram } from '../../support/press.ts';
import { ran } from '../../support/ran.ts';
import { untilPrinted, untilStarted } from '../../support/ready.ts';
import { World, waitFor } from '../../support/world.ts';

// What comes to the socket of a task by others than the library, and what happens to the socket.

const tty = { cols: 80, rows: 24 };

function socketOf(task: Task): string {
  return task.snapshot().output.path.replace(/out$/, 'sock');
}

/** A client of a task, as any program may be one. */
class Client implements Disposable {
  readonly socket: Socket;
  readonly heard: string[] = [];
  isClosed = false;

  constructor(path: string) {
    const reader = new FrameReader();
    this.socket = connect(path);
    this.socket.on('data', (bytes) => {
      for (const { type } of reader.read(bytes)) this.heard.push(type);
    });
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => {
      this.isClosed = true;
    });
  }

  /** Connects, and waits until the shim has said how it stands. */
  static async open(task: Task): Promise<Client> {
    const client = new Client(socketOf(task));
    await waitFor(() => client.heard.includes('standing') || client.isClosed, 'the first word of the shim');
    return client;
  }

  /** How often the shim has said how it stands. */
  get standings(): number {
    return this.heard.filter((type) => type === 'standing').length;
  }

  async ask(): Promise<void> {
    const before = this.standings;
    this.socket.write(askFrame());
    await waitFor(() => this.standings > before || this.isClosed, 'an answer');
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

test('a ninth client replaces the one that was silent longest', async () => {
  await using world = new World();
  // A session that is open has a client of its own.
  const first = await world.session();
  const { id } = await first.spawn('cat', { stdin: 'open' });
  await untilStarted(world, id);
  const task = first.task(id);
  const clients: Client[] = [];
  for (let count = 0; count < 8; count += 1) clients.push(await Client.open(task));
  // All but the third say something, each a moment later than the one before.
  for (const [at, client] of clients.entries()) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (at !== 2) await client.ask();
  }
  clients.push(await Client.open(task));
  await waitFor(() => clients[2]?.isClosed, 'the silent one to be left');
  for (const client of clients) if (client !== clients[2]) await client.ask();
  assert.deepEqual(
    clients.map(({ isClosed }) => isClosed),
    [false, false, true, false, false, false, false, false, false],
  );
  // Who sends finds a place, too.
  await task.send('still here\n', { eof: true });
  await task.wait();
  assert.equal((await task.read()).text, 'still here\n');
  for (const client of clients) client[Symbol.dispose]();
});

test('garbage at the socket does not affect the task', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('stty raw -echo; echo ready; cat', { tty });
  await untilPrinted(task);
  const header = (type: string, length: number): Buffer => {
    const bytes = Buffer.alloc(5);
    bytes.write(type);
    bytes.writeUInt32LE(length, 1);
    return bytes;
  };
  const garbage = [
    Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    Buffer.alloc(100_000, 0xff),
    header('i', 0xffffffff),
    header('i', 0),
    header('r', 3),
    header('q', 8),
    header('Z', 10),
    header('a', 70_000),
    sizeFrame({ cols: 0, rows: 24 }),
    sizeFrame({ cols: 65_535, rows: 65_535 }),
    ...Array.from({ length: 30 }, () => randomBytes(200)),
  ];
  for (const bytes of garbage) {
    using client = await Client.open(task);
    client.socket.end(bytes);
    await waitFor(() => client.isClosed, 'the shim to leave');
  }
  // A frame that never ends, and one of which nothing but the header comes.
  using half = await Client.open(task);
  half.socket.write(header('i', 60_000));
  using begun = await Client.open(task);
  begun.socket.write(inputFrame(Buffer.from('typed')).subarray(0, 8));
  await untilPrinted(task, 'typ');
  await task.send(' after all');
  await untilPrinted(task, ' after all');
  const { cols, rows } = await task.screen();
  assert.deepEqual([task.snapshot().status, cols, rows], ['running', 80, 24]);
});

test('a socket whose name was removed is found again', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('cat', { stdin: 'open' });
  await untilStarted(world, task.id);
  await task.send('one\n');
  unlinkSync(socketOf(task));
  await task.send('two\n');
  assert.ok(existsSync(socketOf(task)));
  // Somebody has put it elsewhere.
  renameSync(socketOf(task), `${world.base}/elsewhere`);
  await task.send('three\n', { eof: true });
  await task.wait();
  assert.equal((await task.read()).text, 'one\ntwo\nthree\n');
});

test('a store whose path is too long for a socket takes input, too', async () => {
  await using world = new World();
  const dir = `${world.base}/${'long-'.repeat(20)}/${'path-'.repeat(20)}`;
  mkdirSync(dir, { recursive: true });
  const session = await world.session('test', { store: { dir } });
  const task = await session.spawn('stty -echo; echo ready; head -n 1', { tty });
  await untilPrinted(task);
  assert.ok(Buffer.byteLength(socketOf(task)) > 108);
  await task.send('from afar\n');
  assert.equal((await task.wait()).exitCode, 0);
  assert.match((await task.read()).text, /from afar/);
});

const needsRoot = withoutProgram('setpriv') || (process.getuid?.() !== 0 && 'it needs to be started by root');

test('another user is refused at the socket', { skip: needsRoot }, async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('stty raw -echo; echo ready; cat', { tty });
  await untilPrinted(task);
  // Somebody has opened the folders, and the socket, to all.
  const path = socketOf(task);
  for (let folder = path; folder.length > world.base.length; folder = folder.replace(/\/[^/]*$/, ''))
    chmodSync(folder, 0o777);
  chmodSync(world.base, 0o777);
  const program = `const frame = Buffer.from(process.argv[2], 'hex');
    const socket = require('net').connect(process.argv[1]); let heard = 0;
    socket.on('connect', () => socket.write(frame)).on('data', (bytes) => { heard += bytes.length; });
    socket.on('error', () => undefined).on('close', () => console.log('closed after ' + heard + ' bytes'));`;
  const frame = Buffer.concat([attachFrame({ readOnly: false }), inputFrame(Buffer.from('intruder'))]);
  const words = [process.execPath, '-e', program, path, frame.toString('hex')];
  const other = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', ...words];
  const env = { NODE_OPTIONS: undefined };
  const tried = await session.run(other, { cwd: '/', env, waitMs: 20_000 });
  assert.match((await session.task(tried.snapshot.taskId).read()).text, /^closed after 0 bytes/);
  await task.send('owner');
  await untilPrinted(task, 'owner');
  assert.doesNotMatch((await task.read()).text, /intruder/);
  assert.deepEqual(
    factsOf(world.logOf(task.id)).filter(({ fact }) => fact === 'attached'),
    [],
  );
  // The same by the user himself is heard.
  const same = await session.run(words, { waitMs: 1 });
  await untilPrinted(task, 'intruder');
  await session.task(same.snapshot.taskId).kill({ graceMs: 0 });
});

test('50 terminals in a row leave no pseudo terminal and no descriptor', async () => {
  await using world = new World();
  const session = await world.session('test', { maxRunning: 10 });
  const count = (): number => readdirSync('/dev/pts').length;
  await ran(session, 'true', { tty });
  const before = count();
  for (let round = 0; round < 5; round += 1)
    await Promise.all(Array.from({ length: 10 }, () => ran(session, 'tty', { tty })));
  // Other programs have terminals, too.
  await waitFor(() => count() <= before, 'the pseudo terminals to be gone');
});

test('when a client leaves in the middle of a frame, the received part of it is typed', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('stty raw -echo; echo ready; cat', { tty });
  await untilPrinted(task);
  const client = await Client.open(task);
  client.socket.write(inputFrame(Buffer.from('half of it')).subarray(0, 9));
  await untilPrinted(task, 'half');
  client.socket.destroy();
  await once(client.socket, 'close');
  await task.send(' and on');
  await untilPrinted(task, 'half and on');
});
