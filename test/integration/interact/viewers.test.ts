import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { PassThrough, Writable } from 'node:stream';
import { test } from 'node:test';
import { openStore, type Task } from '../../../src/index.ts';
import { attachFrame } from '../../../src/shim/frames.ts';
import { LiveScreen } from '../../../src/terminal/live-screen.ts';
import { sleep } from '../../../src/util/wait.ts';
import { untilShows } from '../../support/press.ts';
import { untilPrinted } from '../../support/ready.ts';
import { World, waitFor } from '../../support/world.ts';

// People who attach to a task, each with a terminal of his own.

const tty = { cols: 80, rows: 24 };

/** A person: a keyboard, and a terminal that shows what it gets. */
class Person {
  readonly keyboard = new PassThrough();
  readonly display: Writable & { columns: number; rows: number };
  readonly #live: LiveScreen;
  readonly #got: Buffer[] = [];
  ended: Promise<unknown> = Promise.resolve();
  /** He reads nothing until then. */
  reads: Promise<unknown> = Promise.resolve();

  private constructor(live: LiveScreen, columns: number, rows: number) {
    this.#live = live;
    const write = (bytes: Buffer, _encoding: unknown, done: () => void): void => {
      this.#got.push(bytes);
      live.feed(bytes);
      void this.reads.then(done);
    };
    this.display = Object.assign(new Writable({ write }), { columns, rows });
  }

  static async attach(
    task: Task,
    columns: number,
    rows: number,
    options: Parameters<Task['attach']>[1] = {},
  ): Promise<Person> {
    const person = new Person(await LiveScreen.open({ from: { cols: columns, rows } }), columns, rows);
    person.ended = task.attach({ input: person.keyboard, output: person.display }, options);
    return person;
  }

  /** All bytes that came to the terminal. */
  get got(): string {
    return Buffer.concat(this.#got).toString('latin1');
  }

  get lines(): readonly string[] {
    return this.#live.screen().lines;
  }

  async sees(text: string): Promise<void> {
    await waitFor(() => this.lines.some((line) => line.includes(text)), `a person to see ${text}`).catch(
      (error: Error) => {
        throw new Error(`${error.message}; he sees:\n${this.lines.join('\n')}`);
      },
    );
  }

  type(text: string): void {
    this.keyboard.write(text);
  }

  /** His window has another size. */
  resize(columns: number, rows: number): void {
    this.#live.resize({ cols: columns, rows, offset: this.#live.offset });
    Object.assign(this.display, { columns, rows });
    this.display.emit('resize');
  }

  async leave(): Promise<unknown> {
    this.type('\x1cd');
    const ended = await this.ended;
    this.#live[Symbol.dispose]();
    return ended;
  }
}

/** What a shim has open, each connection among that. */
function descriptorsOf(pid: number | null): string[] {
  return readdirSync(`/proc/${pid}/fd`);
}

test('of two people the last to type sets the size, and resizing a window counts, too', async () => {
  await using world = new World();
  const session = await world.session();
  const command = 'stty -echo; echo ready; while read -r word; do echo "$word: $(stty size)"; done';
  const task = await session.spawn(command, { tty });
  await untilPrinted(task);
  const one = await Person.attach(task, 100, 30);
  await one.sees('ready');
  one.type('first\r');
  await one.sees('first: 30 100');
  const two = await Person.attach(task, 60, 15);
  await two.sees('first: 30 100');
  // Who joins others leaves the size until he types.
  one.type('second\r');
  await two.sees('second: 30 100');
  two.type('third\r');
  await two.sees('third: 15 60');
  await one.sees('third: 15 60');
  two.resize(70, 20);
  await waitFor(async () => (await task.screen()).cols === 70, 'the size of his window');
  two.type('fourth\r');
  await one.sees('fourth: 20 70');
  const three = await Person.attach(task, 40, 10, { readOnly: true });
  await three.sees('fourth: 20 70');
  three.type('nothing\r');
  one.type('fifth\r');
  await three.sees('fifth: 30 100');
  assert.deepEqual(await Promise.all([one.leave(), two.leave(), three.leave()]), ['left', 'left', 'left']);
  assert.equal(task.snapshot().status, 'running');
  assert.doesNotMatch((await task.read()).text, /nothing/);
});

const attacks: Readonly<Record<string, string>> = {
  'writes to the clipboard': '\x1b]52;c;aGFja2Vk\x07',
  'reads the clipboard': '\x1b]52;c;?\x1b\\',
  'asks for the title': '\x1b[21t',
  'asks where the cursor is': '\x1b[6n',
  'asks what the terminal is': '\x1b[c\x1b[>c\x1bZ',
  'asks for a setting': '\x1bP$q"p\x1b\\',
  'defines keys': '\x1bP1;1|17/736861\x1b\\',
  'sends to the application': '\x1b_secret\x1b\\\x1b^secret\x1b\\\x1bXsecret\x1b\\',
  prints: '\x1b[5i shown \x1b[4i',
  'changes colours, and asks for them': '\x1b]4;1;?\x07\x1b]10;?\x07\x1b]11;red\x07',
  'sets the folder, and a link': '\x1b]7;file:///etc\x07\x1b]8;;javascript:alert(1)\x07x\x1b]8;;\x07',
  'talks to iTerm and kitty': '\x1b]1337;File=name=eA==:aGFja2Vk\x07\x1b_Gi=1;aGFja2Vk\x1b\\\x1b]99;;x\x07',
  resets: '\x1bc',
  'hides in two writes': '\x1b]52;c;',
};

/** What must not come to a person's terminal. */
const forbidden = new RegExp(
  [
    '\\x1b\\](?:52|4|7|99|1337|1[01]);',
    'aGFja2Vk|secret|javascript',
    '\\x1b[P_^XZc]',
    '\\x1b\\[(?:\\d*t|6n|>?c|\\d*i)',
  ].join('|'),
);

test('a hostile stream does not reach the terminal of a viewer', async () => {
  await using world = new World();
  const session = await world.session();
  writeFileSync(`${world.base}/hostile`, Object.values(attacks).join('\r\nharmless\r\n'));
  const task = await session.spawn(
    'stty raw -echo; echo ready; head -c 1 > first; cat hostile; sleep 0.1; printf "aGFja2Vk\\007 all-told "; exec cat',
    { tty, cwd: world.base },
  );
  await untilPrinted(task);
  const early = await Person.attach(task, 80, 24);
  const other = await Person.attach(task, 70, 20);
  await early.sees('ready');
  early.type('x');
  await early.sees('all-told');
  await other.sees('all-told');
  // Also for who comes afterwards, and is shown what is there.
  const late = await Person.attach(task, 80, 24);
  await late.sees('all-told');
  for (const person of [early, other, late]) {
    await person.leave();
    assert.doesNotMatch(person.got, forbidden);
  }
});

test('attaching, leaving and the end of a viewer leave no trace in the task', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('stty raw -echo; echo ready; exec cat', { tty });
  await untilPrinted(task);
  for (let round = 0; round < 20; round += 1) {
    const person = await Person.attach(task, 80, 24);
    person.type(`round-${round}\r\n`);
    await person.sees(`round-${round}`);
    assert.equal(await person.leave(), 'left');
  }
  await waitFor(() => task.snapshot().attached.length === 0, 'nobody to be attached');
  const last = await Person.attach(task, 80, 24);
  await last.sees('round-19');
  await task.kill({ graceMs: 0 });
  assert.equal(await last.ended, 'ended');
});

test('a viewer that is replaced by another one is told so, while the task goes on', {
  timeout: 20_000,
}, async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('stty raw -echo; echo ready; exec cat', { tty, cwd: world.base });
  await untilPrinted(task);
  const first = await Person.attach(task, 80, 24);
  await first.sees('ready');
  const clients = Array.from({ length: 8 }, () =>
    connect(task.snapshot().output.path.replace(/out$/, 'sock')),
  );
  for (const client of clients) await once(client, 'data');
  assert.equal(await first.ended, 'displaced');
  assert.equal(task.snapshot().status, 'running');
  for (const client of clients) client.destroy();
  const again = await Person.attach(task, 80, 24);
  await again.sees('ready');
  await task.kill({ graceMs: 0 });
  assert.equal(await again.ended, 'ended');
});

test('a wait for text on a terminal goes on after other clients took its place', {
  timeout: 20_000,
}, async () => {
  await using world = new World();
  const session = await world.session();
  const { id } = await session.spawn('stty raw -echo; echo ready; head -c 1; echo the-end; exec cat', {
    tty,
    cwd: world.base,
  });
  const task = session.task(id);
  await untilPrinted(task);
  await using reader = await openStore({ dir: world.dir, readOnly: true });
  const { shimPid } = task.snapshot();
  const before = descriptorsOf(shimPid).length;
  const waiting = reader.task(id).waitFor({ input: true, screen: 'the-end', timeoutMs: 15_000 });
  await waitFor(() => descriptorsOf(shimPid).length > before, 'its connection');
  for (let round = 0; round < 2; round += 1) {
    const clients = Array.from({ length: 8 }, () =>
      connect(task.snapshot().output.path.replace(/out$/, 'sock')),
    );
    for (const client of clients) await once(client, 'data');
    for (const client of clients) client.destroy();
  }
  await task.send('x');
  const { screen, input } = await waiting;
  assert.ok(screen !== null || input !== null);
});

test('a viewer that reads nothing does not slow the command', async () => {
  await using world = new World();
  const session = await world.session();
  const flood = 'head -c 50000000 /dev/zero | tr "\\0" x';
  const task = await session.spawn(`stty raw -echo; echo ready; head -c 1 > first; ${flood}`, {
    tty,
    cwd: world.base,
  });
  await untilPrinted(task);
  const deaf = connect(task.snapshot().output.path.replace(/out$/, 'sock'));
  await once(deaf, 'connect');
  deaf.pause();
  deaf.write(attachFrame({ readOnly: true }));
  const person = await Person.attach(task, 80, 24);
  await person.sees('ready');
  await task.send('x');
  const ended = await task.wait();
  assert.deepEqual([ended.exitCode, ended.output.bytes >= 50_000_000], [0, true]);
  // The person saw the end, although he could not see all.
  assert.equal(await person.ended, 'ended');
  deaf.destroy();
  await untilShows(task, /x$/);
});

test('a slow viewer gets the current screen in the end, and costs no memory until then', async () => {
  await using world = new World();
  const session = await world.session();
  const flood = 'head -c 20000000 /dev/zero | tr "\\0" x';
  const task = await session.spawn(
    `stty raw -echo; echo ready; head -c 1 > first; printf "\\033[?1049h"; ${flood}; printf "\\033[?1049l the-end"; exec cat`,
    { tty, cwd: world.base },
  );
  await untilPrinted(task);
  for (const columns of [80, 60]) {
    const person = await Person.attach(task, columns, 24, { readOnly: columns === 60 });
    await person.sees(columns === 80 ? 'ready' : 'the-end');
    let read: (value?: unknown) => void = () => undefined;
    person.reads = new Promise((resolve) => {
      read = resolve;
    });
    if (columns === 80) await task.send('x');
    await untilShows(task, /the-end/);
    assert.ok(person.display.writableLength < 3 * 1024 ** 2, `${person.display.writableLength} bytes wait`);
    read();
    await person.sees('the-end');
    assert.equal(await person.leave(), 'left');
    // He left the other screen in what he was not shown.
    const times = (mode: string): number => person.got.split(mode).length;
    assert.equal(times('\x1b[?1049h'), times('\x1b[?1049l'));
  }
});

const mistakes: readonly unknown[] = ['ctrl-x', [1], ['ctrl-x', null], ['nosuch'], {}];

test('invalid detach keys are refused by name', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('exec cat', { tty });
  for (const detachKeys of mistakes) {
    const viewer = { input: new PassThrough(), output: new PassThrough() };
    await assert.rejects(task.attach(viewer, { detachKeys: detachKeys as never }), {
      code: 'INVALID_ARGUMENT',
      message: /detachKeys/,
    });
  }
});

test('a viewer with another window size that is told of the end is shown nothing after it', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('echo ready; read -r x; echo "got $x"', { tty });
  await untilPrinted(task);
  const one = await Person.attach(task, 80, 24);
  await one.sees('ready');
  const other = await Person.attach(task, 40, 10);
  await other.sees('ready');
  one.type('last\r');
  assert.equal(await other.ended, 'ended');
  assert.match(other.got, /got last/);
  const shown = other.got;
  // His terminal may be the shell's again, or closed.
  await sleep(200);
  assert.equal(other.got.slice(shown.length), '');
  await one.ended;
});

test('input for a command that reads nothing is held back at its source', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('stty raw -echo; echo ready; exec sleep 1000', { tty });
  await untilPrinted(task);
  const person = await Person.attach(task, 80, 24);
  const piece = 'k'.repeat(1024 ** 2);
  let written = 0;
  while (!person.keyboard.isPaused() && written < 64) {
    person.type(piece);
    written += 1;
    await sleep(1);
  }
  assert.ok(written < 32, `${written} MiB were taken`);
  person.type(piece);
  await sleep(50);
  assert.ok(person.keyboard.writableLength > 0, 'more was taken');
  await task.kill({ graceMs: 0 });
  await person.ended;
});
