import '../../support/suppressed-error.ts';
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Msg, NatsConnection } from '@nats-io/transport-node';
import type { Bus } from '../../../src/fleet/bus/connect.ts';
import { hostAudience, isInboxOf, subjects } from '../../../src/fleet/wire/names.ts';
import { open, SeenNonces, sign, signingKey } from '../../../src/fleet/wire/signed.ts';
import { randomHex } from '../../../src/util/crypto.ts';
import { yieldToOthers } from '../../../src/util/wait.ts';
import { TestFleet } from '../../support/fleet.ts';
import { withoutNats } from '../../support/nats.ts';
import { waitFor } from '../../support/world.ts';

/** The tasks of the hosts h1, whose credential is stolen, and h2. */
const own = 'bgb-111111111111';
const others = 'bgb-222222222222';
const hash = '0123456789abcdef';

describe('a host whose credential is stolen', { skip: withoutNats }, () => {
  let fleet: TestFleet;
  let h1: Bus;
  let h2: Bus;
  let coordinator: Bus;
  let refusedToH1: readonly string[];

  before(async () => {
    fleet = await TestFleet.start();
    h1 = (await fleet.host('h1')).bus;
    h2 = (await fleet.host('h2')).bus;
    coordinator = fleet.coordinator.bus;
    refusedToH1 = refusals(h1.connection);
    // Something of another host that could be harmed.
    await store(coordinator, subjects.assignment('h2', others), 'of h2');
    await store(h2, subjects.end(hash, 'h2', others), 'the end of h2');
  });

  after(async () => {
    await fleet[Symbol.asyncDispose]();
  });

  /** Shows that the connection of h1 works: what is refused after that is not refused because nothing goes. */
  async function canDoItsOwn(): Promise<void> {
    const { seq } = await store(h1, subjects.assignment('h1', own), 'of h1');
    assert.ok(seq > 0);
  }

  /** Publishes as h1, and says whether the server has refused it. */
  async function isRefused(subject: string, options: Parameters<NatsConnection['publish']>[2] = {}) {
    const before = refusedToH1.length;
    h1.connection.publish(subject, 'from h1', options);
    // The server says what it refuses before it answers this.
    await h1.connection.flush();
    await yieldToOthers();
    return refusedToH1.slice(before).some((said) => said.includes(`Publish to "${subject}"`));
  }

  test('may publish on its own subjects, and not on those of others or of the coordinator', async () => {
    const allowed = [
      ...[subjects.heartbeat('h1'), subjects.list('h1'), subjects.renewal('h1')],
      ...[subjects.assignment('h1', own), subjects.end(hash, 'h1', own), subjects.output('h1', own)],
    ];
    for (const subject of allowed) assert.equal(await isRefused(subject), false, subject);
    const foreign = [
      ...[subjects.heartbeat('h2'), subjects.list('h2'), subjects.renewal('h2')],
      ...[subjects.assignment('h2', own), subjects.end(hash, 'h2', own), subjects.output('h2', own)],
      ...[subjects.control('h1', 'kill'), subjects.control('h2', 'kill'), subjects.audit('h1')],
      ...['op.run', 'op.enrol', 'op.remove', '_INBOX.h1.x', '_INBOX.h2.x', `_INBOX.${adminKey()}.x`],
      // More or fewer parts than a subject of its own has.
      ...['hb', 'hb.h1.h2', `assign.h1.${own}.more`, 'assign.h1', 'done.h1', `log.h1.${own}.x`],
    ];
    for (const subject of foreign) assert.equal(await isRefused(subject), true, subject);
  });

  function adminKey(): string {
    return fleet.credentials.admin.key;
  }

  test('may not use the API of JetStream, nor a bucket', async () => {
    await canDoItsOwn();
    const api = [
      ...[
        '$JS.API.INFO',
        '$JS.API.STREAM.NAMES',
        '$JS.API.STREAM.INFO.ASSIGN',
        '$JS.API.STREAM.PURGE.ASSIGN',
      ],
      ...['$JS.API.STREAM.DELETE.ASSIGN', '$JS.API.STREAM.UPDATE.ASSIGN', '$JS.API.STREAM.CREATE.MINE'],
      ...['$JS.API.STREAM.MSG.GET.ASSIGN', '$JS.API.STREAM.MSG.DELETE.ASSIGN'],
      ...['$JS.API.CONSUMER.CREATE.ASSIGN', '$JS.API.CONSUMER.MSG.NEXT.DONE.all'],
      // A direct get names what it wants in its subject or in its body, and sends it to the reply subject.
      ...['$JS.API.DIRECT.GET.ASSIGN', `$JS.API.DIRECT.GET.ASSIGN.assign.h2.${others}`],
      ...[`$JS.API.DIRECT.GET.ASSIGN.assign.h1.${own}`, '$JS.ACK.DONE.all.1.1.1.1.0', '$JS.FC.ASSIGN.all.1'],
      ...['$KV.HOSTS.h1', '$KV.CONF.host.h1', '$SYS.REQ.USER.INFO', '$SYS.REQ.CLAIMS.UPDATE'],
      ...['$SYS.REQ.SERVER.PING', '$SRV.PING'],
    ];
    for (const subject of api) {
      assert.equal(await isRefused(subject), true, subject);
      assert.equal(await isRefused(subject, { reply: subjects.control('h2', 'kill') }), true, subject);
    }
  });

  test('may listen only to what is sent to it', async () => {
    const listens = async (subject: string): Promise<boolean> => {
      const subscription = h1.connection.subscribe(subject, { callback: () => undefined });
      let isOpen = true;
      void subscription.closed.then(() => {
        isOpen = false;
      });
      await h1.connection.flush();
      await yieldToOthers();
      const isAllowed = isOpen;
      subscription.unsubscribe();
      return isAllowed;
    };
    for (const subject of ['ctl.h1.*', 'ctl.h1.>', 'ctl.h1.kill', '_INBOX.h1.>', '_INBOX.h1.abc'])
      assert.equal(await listens(subject), true, subject);
    const foreign = [
      ...['>', '*', '*.*', '*.>', 'ctl.>', 'ctl.*.*', 'ctl.*.kill', 'ctl.h2.*', 'ctl.h2.>'],
      ...['_INBOX.>', '_INBOX.*.>', '_INBOX.h2.>', `_INBOX.${adminKey()}.>`, 'hb.*', 'hb.h1', 'list.*'],
      ...['assign.>', 'assign.h1.*', 'done.>', 'log.>', 'log.h1.*', 'op.>', 'audit.h1', 'renew.*'],
      ...['$JS.>', '$KV.>', '$SYS.>', '$JS.EVENT.>'],
    ];
    for (const subject of foreign) assert.equal(await listens(subject), false, subject);
  });

  test('does not hear messages to another host, however it listens', async () => {
    const wide = ['>', 'ctl.>', 'ctl.h1.*', '_INBOX.>', '_INBOX.h1.>'].map((subject) => collect(h1, subject));
    using ofH2 = collect(h2, 'ctl.h2.*');
    await Promise.all([h1.connection.flush(), h2.connection.flush()]);
    coordinator.connection.publish('ctl.h2.show', 'for h2');
    coordinator.connection.publish('_INBOX.h2.answer', 'for h2');
    coordinator.connection.publish('ctl.h1.show', 'for h1');
    const heard = () => wide.flatMap(({ found }) => found.map(({ subject }) => subject));
    await waitFor(() => ofH2.found.length === 1 && heard().length > 0, 'both hosts to be told');
    await h1.connection.flush();
    for (const one of wide) one[Symbol.dispose]();
    assert.deepEqual(heard(), ['ctl.h1.show']);
  });

  test('cannot erase by a roll-up, nor give a message a time, a schedule, a batch or a count', async () => {
    await canDoItsOwn();
    const tricks: Readonly<Record<string, Readonly<Record<string, string>>>> = {
      'roll-up of the subject': { 'Nats-Rollup': 'sub' },
      'roll-up of all': { 'Nats-Rollup': 'all' },
      time: { 'Nats-TTL': '1s' },
      'schedule on a foreign subject': {
        'Nats-Schedule': `@at ${new Date(Date.now() + 500).toISOString()}`,
        'Nats-Schedule-Target': subjects.control('h2', 'kill'),
      },
      'schedule into another assignment': {
        'Nats-Schedule': '@every 1s',
        'Nats-Schedule-Target': subjects.assignment('h2', others),
      },
      batch: { 'Nats-Batch-Id': 'one', 'Nats-Batch-Sequence': '1' },
      'whole batch': { 'Nats-Batch-Id': 'two', 'Nats-Batch-Sequence': '1', 'Nats-Batch-Commit': '1' },
      count: { 'Nats-Incr': '+1' },
      'another stream': { 'Nats-Expected-Stream': 'DONE' },
    };
    for (const [name, headers] of Object.entries(tricks)) {
      const error = await publishWith(h1, subjects.assignment('h1', own), headers);
      assert.notEqual(error, null, `${name} was taken`);
      const inDone = await publishWith(h1, subjects.end(hash, 'h1', own), {
        ...headers,
        ...(name === 'another stream' ? { 'Nats-Expected-Stream': 'ASSIGN' } : {}),
      });
      assert.notEqual(inDone, null, `${name} was taken as an end`);
    }
    assert.equal(await last(coordinator, 'ASSIGN', subjects.assignment('h2', others)), 'of h2');
    assert.equal(await last(coordinator, 'DONE', subjects.end(hash, 'h2', others)), 'the end of h2');
    assert.equal(await last(coordinator, 'ASSIGN', subjects.assignment('h1', own)), 'of h1');
  });

  test('cannot store more than a message may have, and stays connected when it tries', async () => {
    await canDoItsOwn();
    const most = 128 * 1024;
    const subject = subjects.assignment('h1', own);
    assert.equal(await publishWith(h1, subject, {}, Buffer.alloc(most - 1_000)), null);
    assert.match((await publishWith(h1, subject, {}, Buffer.alloc(most + 1))) ?? '', /size|exceeds/i);
    // The client itself refuses what the server says that it does not take.
    assert.throws(() => h1.connection.publish(subject, Buffer.alloc(512 * 1024 + 1)), /payload/i);
    await canDoItsOwn();
  });

  test('can store at most five messages for an assignment, and so cannot fill the stream with one task', async () => {
    const subject = subjects.assignment('h1', 'bgb-555555555555');
    for (let at = 0; at < 9; at += 1) await store(h1, subject, `state ${at}`);
    const manager = await coordinator.nats.jetstream.jetstreamManager(coordinator.connection);
    const { state } = await manager.streams.info('ASSIGN', { subjects_filter: subject });
    assert.equal(state.subjects?.[subject], 5);
  });

  test('can at most send an acknowledgement to another host, which that host does not accept', async () => {
    using ofH2 = collect(h2, 'ctl.h2.*');
    const atH2 = ofH2.found;
    await h2.connection.flush();
    const kill = subjects.control('h2', 'kill');
    const key = signingKey(Buffer.from(fleet.credentials.signingSeed, 'base64url'));
    const expected = {
      audience: hostAudience('h2'),
      subject: kill,
      issuers: new Set([key.publicKey]),
      seen: new SeenNonces(),
      now: Date.now(),
    };
    // What a host takes.
    const good = sign({ v: 1, task: others }, key, { audience: hostAudience('h2'), subject: kill });
    coordinator.connection.publish(kill, good);
    await waitFor(() => atH2.length === 1, 'the message of the coordinator');
    assert.deepEqual(open(atH2[0]?.data ?? Buffer.alloc(0), expected).body, { v: 1, task: others });
    // The server acknowledges to whatever reply subject the message names, and that cannot be forbidden.
    h1.connection.publish(subjects.assignment('h1', own), good, { reply: kill });
    await waitFor(() => atH2.length === 2, 'the acknowledgement');
    const acknowledged = atH2[1]?.data ?? Buffer.alloc(0);
    assert.match(Buffer.from(acknowledged).toString(), /"stream":"ASSIGN"/);
    assert.throws(() => open(acknowledged, expected), { code: 'FLEET_FORGED' });
    // Nor is it taken when it sends on what the coordinator has said before, or signs it itself.
    assert.throws(() => open(good, expected), { code: 'FLEET_FORGED', message: /already accepted/ });
    const forged = sign({ v: 1, task: others }, signingKey(), {
      audience: hostAudience('h2'),
      subject: kill,
    });
    assert.throws(() => open(forged, expected), { code: 'FLEET_FORGED', message: /not known/ });
  });

  test('cannot take the id of a message of another host, since the id contains what only that host knows', async () => {
    const moved = 'bgb-666666666666';
    const subject = subjects.assignment('h2', moved);
    await canDoItsOwn();
    // An earlier attempt was its own, so it knows the task. Ids count for the whole stream, whatever the subject.
    const guess = `${moved}.2.accepted`;
    const secret = randomHex(16);
    for (const id of [guess, `${guess}.${randomHex(16)}`])
      await store(h1, subjects.assignment('h1', moved), 'poison', id);
    const guessed = await store(h2, subject, 'accepted', guess);
    assert.equal(guessed.duplicate, true, 'the other host is told that it has stored it');
    assert.equal(await last(coordinator, 'ASSIGN', subject), '');
    const stored = await store(h2, subject, 'accepted', `${guess}.${secret}`);
    assert.equal(stored.duplicate, false);
    assert.equal(await last(coordinator, 'ASSIGN', subject), 'accepted');
    // The same for ends.
    await store(h1, subjects.end(hash, 'h1', moved), 'poison', `${moved}.2`);
    const end = subjects.end(hash, 'h2', moved);
    assert.equal((await store(h2, end, 'ended', `${moved}.2`)).duplicate, true);
    assert.equal((await store(h2, end, 'ended', `${moved}.2.${secret}`)).duplicate, false);
  });

  test('learns only the number of the last assignment of another host', async () => {
    const said = await publishWith(h1, subjects.assignment('h1', own), {
      'Nats-Expected-Last-Subject-Sequence': '0',
      'Nats-Expected-Last-Subject-Sequence-Subject': 'assign.h2.>',
    });
    assert.match(said ?? '', /^wrong last sequence: \d+$/);
  });

  test('is answered only on its own inbox, since the answerers first check whose inbox it is', async () => {
    assert.equal(isInboxOf('h1', '_INBOX.h1.abc.1'), true);
    const foreign = ['_INBOX.h2.abc', 'ctl.h2.kill', '_INBOX.h1', '_INBOX.h1.', '_INBOX.h1.*', '_INBOX.h1.>'];
    for (const reply of [...foreign, '_INBOX.h11.x', '_INBOX.h1.a b', undefined])
      assert.equal(isInboxOf('h1', reply), false, reply);
    const { token } = fleet.hostCredentials('h1') ?? assert.fail();
    const request = Buffer.from(JSON.stringify({ v: 1, token }));
    assert.ok((await h1.ask(subjects.renewal('h1'), request)).length > 0);
    using ofH2 = collect(h2, 'ctl.h2.*');
    await h2.connection.flush();
    h1.connection.publish(subjects.renewal('h1'), request, { reply: subjects.control('h2', 'kill') });
    // The one after it was answered, so it was looked at.
    await h1.ask(subjects.renewal('h1'), request);
    await coordinator.connection.flush();
    await h2.connection.flush();
    assert.deepEqual(ofH2.found, []);
  });

  test('answers a question of the coordinator once, and gets no other right by it', async () => {
    let asked: Msg | undefined;
    // The one subscription that gets it: where two of a connection do, the server counts the message twice, and the one
    // answer is one too many.
    const callback = (_error: Error | null, message: Msg): void => {
      asked = message;
      message.respond('mine');
    };
    h1.connection.subscribe('ctl.h1.show', { callback });
    await h1.connection.flush();
    const { data } = await coordinator.connection.request('ctl.h1.show', 'which?', { timeout: 5_000 });
    assert.equal(Buffer.from(data).toString(), 'mine');
    const reply = asked?.reply ?? assert.fail();
    assert.equal(await isRefused(reply), true, 'a second answer');
    // It sends itself nothing with a foreign reply subject, which it could then answer.
    const foreign = subjects.control('h2', 'kill');
    for (const subject of ['ctl.h1.show', '_INBOX.h1.x'])
      assert.equal(await isRefused(subject, { reply: foreign }), true, subject);
    // Its own acknowledgement comes to it without a reply subject.
    const acknowledged = await h1.connection.request(subjects.assignment('h1', own), 'of h1', {
      timeout: 5_000,
    });
    assert.equal(acknowledged.reply ?? '', '');
    assert.equal(await isRefused(foreign), true);
  });

  test('is refused with its token under another name, and with another token under its name', async () => {
    const one = fleet.hostCredentials('h1') ?? assert.fail();
    const two = fleet.hostCredentials('h2') ?? assert.fail();
    // The connection is its own, and the inbox another's: the server refuses what it would listen to.
    const bus = await fleet.connect(one, 'h2');
    const refused = refusals(bus.connection);
    await assert.rejects(bus.ask(subjects.heartbeat('h1'), Buffer.from('x'), 300), {
      code: 'FLEET_UNREACHABLE',
    });
    assert.match(refused.join(), /_INBOX\.h2/);
    // A token without its secret is worth nothing.
    await assert.rejects(fleet.connect({ ...one, token: two.token }, 'h2'), { code: 'FLEET_REFUSED' });
    // Nor does the coordinator give it a token of another one.
    const request = Buffer.from(JSON.stringify({ v: 1, token: two.token }));
    const answer = Buffer.from(await h1.ask(subjects.renewal('h1'), request)).toString();
    assert.match(answer, /FLEET_REFUSED/);
  });
});

/** Publishes into a stream, and waits for its acknowledgement. */
async function store(bus: Bus, subject: string, text: string, msgID?: string) {
  const client = bus.nats.jetstream.jetstream(bus.connection);
  return await client.publish(subject, text, msgID === undefined ? {} : { msgID });
}

/** Publishes with headers. @returns what the stream said against it; null: it was stored. */
async function publishWith(
  { nats, connection }: Bus,
  subject: string,
  headers: Readonly<Record<string, string>>,
  data: Uint8Array = Buffer.from('a trick'),
): Promise<string | null> {
  const all = nats.core.headers();
  for (const [name, value] of Object.entries(headers)) all.set(name, value);
  const answer = await connection.request(subject, data, { headers: all, timeout: 5_000 });
  // A batch that is begun is answered with nothing.
  const { error } = JSON.parse(Buffer.from(answer.data).toString() || '{}');
  return error === undefined ? null : (error.description as string);
}

/** The last message on a subject of a stream. */
async function last(bus: Bus, stream: string, subject: string): Promise<string> {
  const manager = await bus.nats.jetstream.jetstreamManager(bus.connection);
  const found = await manager.streams.getMessage(stream, { last_by_subj: subject });
  return found?.string() ?? '';
}

/** What comes to a subscription until it is disposed of. */
function collect({ connection }: Bus, subject: string): Disposable & { readonly found: readonly Msg[] } {
  const found: Msg[] = [];
  const callback = (error: Error | null, message: Msg): void => {
    if (error === null) found.push(message);
  };
  const subscription = connection.subscribe(subject, { callback });
  return { found, [Symbol.dispose]: () => subscription.unsubscribe() };
}

/** What the server refuses from now on. */
function refusals(connection: NatsConnection): readonly string[] {
  const found: string[] = [];
  const statuses = connection.status();
  void (async () => {
    for await (const status of statuses) if (status.type === 'error') found.push(status.error.message);
  })();
  return found;
}
