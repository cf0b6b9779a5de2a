import assert from 'node:assert/strict';
import { PassThrough, Writable } from 'node:stream';
import { test } from 'node:test';
import type { NatsConnection } from '@nats-io/transport-node';
import { OutliveError } from '../../../src/errors/error.ts';
import { attachThere, type Viewed } from '../../../src/fleet/client/attach-there.ts';
import { wireVersion } from '../../../src/fleet/wire/names.ts';
import { type ViewMessage, type ViewState, writePiece } from '../../../src/fleet/wire/terminal.ts';
import { waitFor } from '../../support/world.ts';

type Answer = ViewState | Error | null;

/** A person's terminal, and a host that a test plays: it has every message, and answers as `answers` says. */
class Scene implements Viewed {
  readonly host = 'h1';
  /** Resolves when a host has taken the task. */
  accepted: Promise<void> = Promise.resolve();
  readonly input = new PassThrough();
  readonly output: Writable & { columns: number; rows: number };
  readonly messages: ViewMessage[] = [];
  /** What the next messages are answered with; `null` and none: that all is shown. */
  readonly answers: Answer[] = [];
  shown = '';
  pieces = 0;
  /** The terminal takes nothing while this is set. */
  isStuck = false;
  #release: () => void = () => undefined;
  #hears: (data: Uint8Array) => void = () => undefined;

  constructor() {
    const output = new Writable({
      write: (bytes, _encoding, done) => {
        this.shown += bytes.toString();
        if (this.isStuck) this.#release = done;
        else done();
      },
    });
    this.output = Object.assign(output, { columns: 80, rows: 24 });
  }

  get connection(): NatsConnection {
    const subscribe = (
      _subject: string,
      { callback }: { callback: (error: null, message: object) => void },
    ) => {
      this.#hears = (data) => callback(null, { data });
      return { unsubscribe: () => undefined };
    };
    return { subscribe } as unknown as NatsConnection;
  }

  /** What was typed into the task. */
  get typed(): string {
    const once = new Map(this.messages.map((message) => [message.number, message.keys.toString()]));
    return [...once.values()].join('');
  }

  async wait(): Promise<object> {
    await this.accepted;
    return {};
  }

  async show(): Promise<object> {
    return {};
  }

  async view(message: ViewMessage): Promise<ViewState> {
    this.messages.push(message);
    if (message.opens) this.pieces = 0;
    const answer = this.answers.shift() ?? null;
    if (answer instanceof Error) throw answer;
    return answer ?? { state: 'open', pieces: this.pieces };
  }

  /** @param isLost it does not arrive. */
  publish(text: string, { last = false, isLost = false } = {}): void {
    this.pieces += 1;
    const opened = this.messages.findLast(({ opens }) => opens)?.number ?? 0;
    const piece = { opened, number: this.pieces, bytes: Buffer.from(text), last };
    if (!isLost) this.#hears(Buffer.from(JSON.stringify({ v: wireVersion, ...writePiece(piece) })));
  }

  release(): void {
    this.isStuck = false;
    this.#release();
  }

  get openings(): number {
    return this.messages.filter(({ opens }) => opens).length;
  }

  attach(options: Parameters<typeof attachThere>[3] = {}): ReturnType<typeof attachThere> {
    const { input, output } = this;
    return attachThere(this.connection, this, { input, output }, options);
  }
}

const silent = (): Error =>
  new OutliveError('HOST_UNREACHABLE', 'expected an answer; found none.', { details: { host: 'h1' } });

test('typed input goes in order, once, however often a message is sent', async () => {
  const scene = new Scene();
  const end = scene.attach();
  await waitFor(() => scene.messages.length === 1, 'the first message');
  assert.deepEqual([scene.messages[0]?.opens, scene.messages[0]?.size], [true, { cols: 80, rows: 24 }]);
  scene.answers.push(silent(), silent());
  scene.input.write('one ');
  await waitFor(() => scene.messages.length === 2, 'the keys');
  scene.input.write('two');
  await waitFor(() => scene.typed === 'one two', 'all keys');
  const numbers = scene.messages.map(({ number }) => number);
  assert.deepEqual(numbers, [1, 2, 2, 2, 3]);
  scene.input.write('\x1cd');
  assert.equal(await end, 'left');
  assert.deepEqual([scene.messages.at(-1)?.leaves, scene.typed], [true, 'one two']);
});

test('if a piece gets lost, the whole screen is shown again, also if it was the last piece', async () => {
  const scene = new Scene();
  const end = scene.attach();
  await waitFor(() => scene.messages.length === 1, 'the first message');
  scene.publish('a');
  scene.publish('b', { isLost: true });
  scene.publish('c');
  await waitFor(() => scene.openings === 2, 'the view to begin anew');
  assert.match(scene.shown, /^a(?!.*c)/s);
  scene.publish('abc');
  scene.publish('d', { isLost: true });
  // Nothing comes after it: the answer to the next message tells.
  scene.input.write('x');
  await waitFor(() => scene.openings === 3, 'the view to begin anew');
  scene.publish('abcd');
  scene.publish('', { last: true });
  assert.equal(await end, 'ended');
  assert.match(scene.shown, /abcd/);
});

test('keys that the host has certainly not taken are sent again, and keys that it may have taken are not', async () => {
  for (const isDoubtful of [false, true]) {
    const scene = new Scene();
    const end = scene.attach();
    await waitFor(() => scene.messages.length === 1, 'the first message');
    if (isDoubtful) scene.answers.push(silent());
    scene.answers.push({ state: 'unknown', pieces: 0 });
    scene.input.write('k');
    await waitFor(() => scene.openings === 2, 'the view to begin anew');
    scene.input.write('\x1cd');
    assert.equal(await end, 'left');
    const taken = scene.messages.filter(({ opens }) => opens).map(({ keys }) => keys.toString());
    assert.deepEqual(taken, ['', isDoubtful ? '' : 'k']);
  }
});

test('a slow terminal gets the whole screen again once it has read', async () => {
  const scene = new Scene();
  const end = scene.attach();
  await waitFor(() => scene.messages.length === 1, 'the first message');
  scene.isStuck = true;
  const piece = 'x'.repeat(60_000);
  for (let count = 0; count < 40; count += 1) scene.publish(piece);
  assert.ok(scene.output.writableLength < 2 * 1024 ** 2, `${scene.output.writableLength} bytes wait`);
  assert.equal(scene.openings, 1);
  scene.release();
  await waitFor(() => scene.openings === 2, 'the view to begin anew');
  scene.publish('all');
  await waitFor(() => scene.shown.endsWith('all'), 'what there is');
  scene.output.destroy();
  assert.equal(await end, 'left');
});

test('messages of a host can do no more to a terminal than the output of a command', async () => {
  const scene = new Scene();
  const end = scene.attach();
  await waitFor(() => scene.messages.length === 1, 'the first message');
  scene.publish('seen \x1b]52;c;c2VjcmV0\x07\x1b[?1003h\x1bc\x1b[5n over');
  scene.publish('', { last: true });
  assert.equal(await end, 'ended');
  assert.match(scene.shown, /seen [\s\S]* over/);
  for (const foreign of ['\x1b]52', '\x1bc', '\x1b[5n']) assert.ok(!scene.shown.includes(foreign));
  // What was let through is taken back.
  assert.ok(scene.shown.includes('\x1b[?1003l'));
});

test('a viewer that was displaced by others on the host is told so', async () => {
  const scene = new Scene();
  const end = scene.attach();
  await waitFor(() => scene.messages.length === 1, 'the first message');
  scene.answers.push({ state: 'displaced', pieces: 0 });
  scene.input.write('x');
  assert.equal(await end, 'displaced');
  assert.equal(scene.openings, 1);
});

test('a viewer can leave even while no host has taken the task yet', async () => {
  const scene = new Scene();
  let take: () => void = () => undefined;
  scene.accepted = new Promise((resolve) => {
    take = resolve;
  });
  const end = scene.attach();
  scene.input.write('x\x1cd');
  assert.equal(await end, 'left');
  take();
  await waitFor(() => scene.messages.length === 1, 'the last message');
  assert.deepEqual([scene.messages[0]?.leaves, scene.messages[0]?.opens], [true, false]);
});

test('a read-only viewer types nothing; changes of the terminal size are sent', async () => {
  const scene = new Scene();
  const end = scene.attach({ readOnly: true });
  await waitFor(() => scene.messages.length === 1, 'the first message');
  scene.input.write('nothing');
  scene.output.columns = 100;
  scene.output.emit('resize');
  await waitFor(() => scene.messages.length === 2, 'the size');
  assert.deepEqual(
    [scene.messages[1]?.size, scene.messages[1]?.readOnly, scene.typed],
    [{ cols: 100, rows: 24 }, true, ''],
  );
  scene.input.write('\x1cd');
  assert.equal(await end, 'left');
});

test('a refusal of the host is thrown; if the command has ended meanwhile, the end is returned', async () => {
  const refused = new Scene();
  refused.answers.push(
    new OutliveError('NO_TERMINAL', 'expected a terminal; found none.', { details: { taskId: 'x' } }),
  );
  await assert.rejects(refused.attach(), { code: 'NO_TERMINAL' });
  const scene = new Scene();
  const end = scene.attach();
  await waitFor(() => scene.messages.length === 1, 'the first message');
  scene.answers.push({ state: 'unknown', pieces: 0 });
  scene.answers.push(
    new OutliveError('INPUT_CLOSED', 'expected a command; found that it has ended.', {
      details: { taskId: 'bgb-000000000000' },
    }),
  );
  scene.input.write('x');
  assert.equal(await end, 'ended');
});
