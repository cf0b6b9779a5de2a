import '../../support/suppressed-error.ts';
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readCredentials } from '../../../src/fleet/admin/credentials.ts';
import { FleetFolder, fleetFiles } from '../../../src/fleet/admin/folder.ts';
import { initFleet } from '../../../src/fleet/admin/init.ts';
import { startServer } from '../../../src/fleet/admin/server-process.ts';
import { parseAddress } from '../../../src/fleet/bus/address.ts';
import { connectBus } from '../../../src/fleet/bus/connect.ts';
import { Authority } from '../../../src/fleet/bus/jwt.ts';
import { freePort } from '../../support/fleet.ts';
import { natsServer, withoutNats } from '../../support/nats.ts';
import { isLive } from '../../support/world.ts';

const needsNats = { skip: withoutNats };
const program = natsServer() ?? 'nats-server';

/** A fleet that was made, and is not served. */
async function madeFleet(scheme: '' | 'tls://'): Promise<Disposable & { readonly folder: FleetFolder }> {
  const base = mkdtempSync(join(tmpdir(), 'outlive-server-'));
  const folder = FleetFolder.open(join(base, 'config', 'fleet'));
  const address = parseAddress(`${scheme}127.0.0.1:${await freePort()}`);
  await initFleet(folder, { servers: [address], listenHost: '127.0.0.1', dataFolder: join(base, 'data') });
  return { folder, [Symbol.dispose]: () => rmSync(base, { recursive: true }) };
}

/** Connects as the admin. */
async function connectAdmin(folder: FleetFolder) {
  const has = readCredentials.client(folder) ?? assert.fail();
  const name = (await Authority.load()).keyOf(has.seed).publicKey;
  const { servers, ca } = has.fleet;
  return await connectBus({ servers, ca, name, seed: has.seed, token: () => has.token });
}

for (const scheme of ['', 'tls://'] as const)
  test(
    `a server starts with the files of init, ends when asked, and starts again: ${scheme || 'plain'}`,
    needsNats,
    async () => {
      using made = await madeFleet(scheme);
      for (let life = 0; life < 2; life += 1) {
        await using server = await startServer(made.folder, program);
        await using bus = await connectAdmin(made.folder);
        await bus.connection.flush();
        await bus.connection.close();
        await server[Symbol.asyncDispose]();
        assert.equal(isLive(server.pid), false);
        assert.match(await server.ended, /Server Exiting/);
      }
    },
  );

test(
  'init writes files that only this user can read, and does not overwrite a fleet',
  needsNats,
  async () => {
    using made = await madeFleet('tls://');
    const { folder } = made;
    for (const file of Object.values(fleetFiles).filter((one) => !/^host|^nats-/.test(one)))
      assert.equal(statSync(folder.pathOf(file)).mode & 0o777, 0o600, file);
    const before = readFileSync(folder.pathOf('coordinator.json'), 'utf8');
    const address = parseAddress('127.0.0.1:1');
    const again = initFleet(folder, { servers: [address], listenHost: '127.0.0.1', dataFolder: folder.path });
    await assert.rejects(again, { code: 'FLEET_CREDENTIALS', message: /lock out its members/ });
    assert.equal(readFileSync(folder.pathOf('coordinator.json'), 'utf8'), before);
    // No secret is in what the server reads.
    const config = readFileSync(folder.pathOf('nats.conf'), 'utf8');
    assert.doesNotMatch(config, /\bS[OAU][A-Z2-7]{56}\b/);
  },
);

test('a fleet has one server or three, all on loopback or none', needsNats, async () => {
  const base = mkdtempSync(join(tmpdir(), 'outlive-server-'));
  try {
    const folder = FleetFolder.open(join(base, 'config', 'fleet'));
    for (const servers of [[], ['a', 'b'], ['a', 'b', '127.0.0.1'], ['a', 'b', 'c', 'd']]) {
      const addresses = servers.map(parseAddress);
      await assert.rejects(
        initFleet(folder, { servers: addresses, listenHost: '127.0.0.1', dataFolder: base }),
        {
          code: 'INVALID_ARGUMENT',
        },
      );
    }
  } finally {
    rmSync(base, { recursive: true });
  }
});

test('a server that cannot start says why, and leaves nothing', needsNats, async () => {
  using made = await madeFleet('');
  const { folder } = made;
  await using first = await startServer(folder, program);
  await assert.rejects(startServer(folder, program), {
    code: 'FLEET_UNREACHABLE',
    message: /in use.*--elsewhere/,
  });
  assert.equal(isLive(first.pid), true);
  await assert.rejects(startServer(folder, '/nowhere/nats-server'), {
    code: 'FLEET_PACKAGES',
    message: /--nats/,
  });
  const old = join(folder.path, '..', 'old');
  writeFileSync(old, '#!/bin/sh\necho nats-server: v2.11.4\n', { mode: 0o700 });
  await assert.rejects(startServer(folder, old), {
    code: 'FLEET_PACKAGES',
    message: /found nats-server: v2\.11\.4/,
  });
  rmSync(folder.pathOf('nats.conf'));
  await assert.rejects(startServer(folder, program), { code: 'FLEET_CREDENTIALS', message: /fleet init/ });
});
