import '../../support/suppressed-error.ts';
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { readCredentials } from '../../../src/fleet/admin/credentials.ts';
import { parseInvitation, signerOfInvitation } from '../../../src/fleet/admin/invitation.ts';
import { invite, remove } from '../../../src/fleet/admin/invite.ts';
import { join } from '../../../src/fleet/admin/join.ts';
import { renewClient, renewHost } from '../../../src/fleet/admin/renew.ts';
import { Authority } from '../../../src/fleet/bus/jwt.ts';
import { bodyOf } from '../../../src/fleet/wire/membership.ts';
import { coordinatorAudience, subjects } from '../../../src/fleet/wire/names.ts';
import { sign, signingKey } from '../../../src/fleet/wire/signed.ts';
import { TestFleet } from '../../support/fleet.ts';
import { withoutNats } from '../../support/nats.ts';

const needsNats = { skip: withoutNats };
const dayMs = 86_400_000;

test('an invitation lets a host in once, with a key that the host has made', needsNats, async () => {
  await using fleet = await TestFleet.start();
  const line = await fleet.invite({ kind: 'host', labels: { gpu: 'a100' }, slots: 8 });
  const joined = await join(fleet.folderOf('one'), line, 'h1');
  assert.equal(joined.kind, 'host');
  const has = readCredentials.host(fleet.folderOf('one')) ?? assert.fail();
  await (await fleet.connect(has, 'h1')).connection.flush();
  const { members } = fleet.coordinator.membership;
  const { record } = (await members.get('host', 'h1')) ?? assert.fail();
  assert.deepEqual([record.labels, record.slots, record.removedAt], [{ gpu: 'a100' }, 8, null]);
  await assert.rejects(join(fleet.folderOf('two'), line, 'h2'), {
    code: 'FLEET_REFUSED',
    message: /was used/,
  });
  assert.equal(await members.get('host', 'h2'), null);
  // A machine that is a member does not become another one by a second invitation.
  await assert.rejects(join(fleet.folderOf('one'), await fleet.invite(), 'h3'), {
    code: 'FLEET_CREDENTIALS',
  });
});

test('if two hosts use one invitation at the same time, one is let in', needsNats, async () => {
  await using fleet = await TestFleet.start();
  const line = await fleet.invite();
  const names = ['h1', 'h2', 'h3', 'h4', 'h5'];
  const tried = await Promise.allSettled(
    names.map(async (name) => await join(fleet.folderOf(name), line, name)),
  );
  assert.equal(tried.filter(({ status }) => status === 'fulfilled').length, 1);
  for (const one of tried) if (one.status === 'rejected') assert.equal(one.reason.code, 'FLEET_REFUSED');
  assert.equal((await fleet.coordinator.membership.members.all('host')).size, 1);
});

test('a host whose name is taken may try another name, and no secret was on the bus', needsNats, async () => {
  await using fleet = await TestFleet.start();
  const heard: string[] = [];
  fleet.coordinator.bus.connection.subscribe('op.*', {
    callback: (_error, { data }) => void heard.push(Buffer.from(data).toString()),
  });
  await fleet.coordinator.bus.connection.flush();
  await fleet.host('h1');
  const line = await fleet.invite();
  await assert.rejects(join(fleet.folderOf('other'), line, 'h1'), { code: 'FLEET_HOST', message: /h1/ });
  const { seed } = parseInvitation(line);
  const secrets = [seed, fleet.credentials.hostScope, fleet.hostCredentials('h1')?.seed ?? ''];
  assert.ok(heard.length >= 3);
  for (const said of heard) for (const secret of secrets) assert.equal(said.includes(secret), false);
  await join(fleet.folderOf('other'), line, 'h2');
  assert.equal(fleet.hostCredentials('other')?.name, 'h2');
});

test('the holder of an invitation can only ask to be let in', needsNats, async () => {
  await using fleet = await TestFleet.start();
  const { seed, token } = parseInvitation(await fleet.invite());
  const bus = await fleet.connect({ ...fleet.admin, seed, token }, null);
  const refused: string[] = [];
  void (async () => {
    for await (const one of bus.connection.status())
      if (one.type === 'error') refused.push(one.error.message);
  })();
  for (const subject of ['op.run', 'op.invite', 'hb.h1', 'assign.h1.x', '$JS.API.INFO', '$KV.CONF.x'])
    bus.connection.publish(subject, 'x');
  for (const subject of ['>', 'op.>', 'log.>', '_INBOX.>'])
    bus.connection.subscribe(subject, { callback: () => undefined });
  await bus.connection.flush();
  // Its own request is answered on this connection: with a refusal, since the key in it is none.
  const subject = subjects.operation('enrol');
  const body = bodyOf({ name: 'h1', key: `U${'A'.repeat(55)}`, signer: null });
  const message = sign(body, signerOfInvitation(seed), { audience: coordinatorAudience, subject });
  assert.match(Buffer.from(await bus.ask(subject, message)).toString(), /public key of a NATS user/);
  assert.equal(refused.length, 10, refused.join('\n'));
});

test('a key that asks for many names at the same time gets one of them', needsNats, async () => {
  await using fleet = await TestFleet.start();
  const { seed, token } = parseInvitation(await fleet.invite());
  const bus = await fleet.connect({ ...fleet.admin, seed, token }, null);
  const own = (await Authority.load()).newKey('user');
  const subject = subjects.operation('enrol');
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
  const answers = await Promise.all(
    names.map(async (name) => {
      const body = bodyOf({ name, key: own.publicKey, signer: null });
      const message = sign(body, signerOfInvitation(seed), { audience: coordinatorAudience, subject });
      return Buffer.from(await bus.ask(subject, message, 10_000)).toString();
    }),
  );
  const welcomed = answers.filter((said) => said.includes('"token"'));
  const members = await fleet.coordinator.membership.members.all('host');
  assert.deepEqual([welcomed.length, members.size], [1, 1], answers.join('\n'));
});

test('an expired invitation lets nobody in', needsNats, async () => {
  await using fleet = await TestFleet.start();
  const line = await fleet.invite();
  const signer = signerOfInvitation(parseInvitation(line).seed).publicKey;
  const { members } = fleet.coordinator.membership;
  const { record, revision } = (await members.get('invitation', signer)) ?? assert.fail();
  await members.replace('invitation', signer, { ...record, expiresAt: Date.now() - 1 }, revision);
  await assert.rejects(join(fleet.folderOf('h1'), line, 'h1'), {
    code: 'FLEET_REFUSED',
    message: /has expired/,
  });
  assert.deepEqual(readdirSync(fleet.folderOf('h1').path), []);
});

test('a token is renewed after half of its time, and only for a member', needsNats, async () => {
  await using fleet = await TestFleet.start();
  const authority = await Authority.load();
  const { has, bus } = await fleet.host('h1');
  const folder = fleet.folderOf('h1');
  assert.equal(await renewHost(folder, bus, has, Date.now() + 14 * dayMs), has);
  const expired = { ...has, token: await tokenOf(fleet, 'h1', Date.now() - 20 * dayMs) };
  await assert.rejects(renewHost(folder, bus, expired, Date.now() + 16 * dayMs), { code: 'FLEET_REFUSED' });
  const soon = { ...has, token: await tokenOf(fleet, 'h1', Date.now() + dayMs) };
  const renewed = await renewHost(folder, bus, soon, Date.now() + 16 * dayMs);
  const { publicKey, expiresAt } = authority.read(renewed.token);
  assert.equal(publicKey, authority.keyOf(has.seed).publicKey);
  assert.ok((expiresAt ?? 0) > Date.now() + 29 * dayMs);
  const kept = readCredentials.host(folder);
  assert.deepEqual(kept, renewed);
  await (await fleet.connect(renewed, 'h1')).connection.flush();

  const client = await fleet.joinedClient('c1', 'viewer');
  const link = await fleet.client(client);
  const again = await renewClient(fleet.folderOf('c1'), link, client, Date.now() + 16 * dayMs);
  assert.equal(authority.read(again.token).publicKey, authority.read(client.token).publicKey);
  assert.deepEqual(readCredentials.client(fleet.folderOf('c1')), again);
});

/** A token of a host for its own key that ends at some time. */
async function tokenOf(fleet: TestFleet, name: string, expiresAt: number): Promise<string> {
  const authority = await Authority.load();
  const { publicKey } = authority.keyOf(fleet.hostCredentials(name)?.seed ?? assert.fail());
  const { account, hostScope } = fleet.credentials;
  return await authority.signUser({ name, publicKey, account, expiresAt }, hostScope);
}

test(
  'a host whose records the servers have lost is a member again when it renews its token',
  needsNats,
  async () => {
    await using fleet = await TestFleet.start();
    const { has, bus } = await fleet.host('h1');
    const { members } = fleet.coordinator.membership;
    const { revision } = (await members.get('host', 'h1')) ?? assert.fail();
    await members.erase('host', 'h1', revision);
    assert.equal(await members.get('host', 'h1'), null);
    // By its own token alone.
    const authority = await Authority.load();
    const own = authority.keyOf(has.seed);
    const stranger = authority.newKey('account');
    const expiresAt = Date.now() + dayMs;
    const claims = { name: 'h1', publicKey: own.publicKey, account: fleet.credentials.account, expiresAt };
    const forged = await authority.signUser(claims, stranger.seed);
    const later = Date.now() + 16 * dayMs;
    for (const token of [(await fleet.host('h2')).has.token, forged])
      await assert.rejects(renewHost(fleet.folderOf('h1'), bus, { ...has, token }, later), {
        code: 'FLEET_REFUSED',
      });
    assert.equal(await members.get('host', 'h1'), null);
    await renewHost(fleet.folderOf('h1'), bus, has, Date.now() + 16 * dayMs);
    assert.equal(
      (await members.get('host', 'h1'))?.record.key,
      (await Authority.load()).keyOf(has.seed).publicKey,
    );
  },
);

test('a client may do what its role allows, and a removed one nothing', needsNats, async () => {
  await using fleet = await TestFleet.start();
  const viewer = await fleet.joinedClient('c1', 'viewer');
  const agent = await fleet.joinedClient('c2', 'agent');
  const admin = await fleet.joinedClient('c3', 'admin');
  const host = { kind: 'host', labels: {}, slots: null } as const;
  for (const has of [viewer, agent]) {
    const link = await fleet.client(has);
    await link.ask('renew', {});
    await assert.rejects(invite(link, has, host, dayMs), {
      code: 'FLEET_REFUSED',
      message: new RegExp(has.role),
    });
    await assert.rejects(remove(link, { kind: 'host', member: 'h1' }), { code: 'FLEET_REFUSED' });
  }
  const link = await fleet.client(admin);
  assert.match(await invite(link, admin, host, dayMs), /^outlive\+plain:/);
  const signer = signingKey(Buffer.from(admin.signingSeed, 'base64url')).publicKey;
  const closed = link.bus.connection.closed();
  await remove(await fleet.client(), { kind: 'client', member: signer });
  await closed;
  await assert.rejects(fleet.client(admin), { code: 'FLEET_REFUSED' });
});

test('an unknown requester, and one that uses the name of another, get no answer', needsNats, async () => {
  await using fleet = await TestFleet.start();
  const viewer = await fleet.joinedClient('c1', 'viewer');
  const link = await fleet.client(viewer);
  const subject = subjects.operation('renew');
  const to = { audience: coordinatorAudience, subject };
  const adminKey = signingKey(Buffer.from(fleet.admin.signingSeed, 'base64url'));
  // On this connection an answer comes when it is this client that asks.
  await link.ask('renew', {});
  const nothing = { code: 'FLEET_UNREACHABLE' };
  // Somebody that no invitation has let in; the admin itself, but on the inbox of this client; something that is no message.
  for (const message of [
    sign(bodyOf({}), signingKey(), to),
    sign(bodyOf({}), adminKey, to),
    Buffer.from('x'),
  ])
    await assert.rejects(link.bus.ask(subject, message, 300), nothing);
  // The same message a second time is refused.
  const own = sign(bodyOf({}), signingKey(Buffer.from(viewer.signingSeed, 'base64url')), to);
  assert.doesNotMatch(Buffer.from(await link.bus.ask(subject, own)).toString(), /FLEET_FORGED/);
  assert.match(Buffer.from(await link.bus.ask(subject, own)).toString(), /FLEET_FORGED/);
});

test('with encryption a newcomer recognizes the servers by the pin', needsNats, async () => {
  await using fleet = await TestFleet.start('tls://');
  const line = await fleet.invite();
  assert.match(line, /^outlive\+tls:/);
  const pin = parseInvitation(line).pin ?? assert.fail();
  const wrong = line.replace(pin, `${pin.startsWith('A') ? 'B' : 'A'}${pin.slice(1)}`);
  await assert.rejects(join(fleet.folderOf('h1'), wrong, 'h1'), {
    code: 'FLEET_FORGED',
    message: /authority/,
  });
  await join(fleet.folderOf('h1'), line, 'h1');
  const has = fleet.hostCredentials('h1') ?? assert.fail();
  assert.match(has.fleet.ca ?? '', /BEGIN CERTIFICATE/);
  await (await fleet.connect(has, 'h1')).connection.flush();
  // A server that is signed by another authority is not talked to.
  await using other = await TestFleet.start('tls://');
  const atOther = { ...has, fleet: { ...has.fleet, servers: other.credentials.fleet.servers } };
  await assert.rejects(fleet.connect(atOther, 'h1'), {
    code: 'FLEET_UNREACHABLE',
    message: /certificate/,
  });
});
