import '../../support/suppressed-error.ts';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readCredentials, writeCredentials } from '../../../src/fleet/admin/credentials.ts';
import { FleetFolder, fleetFiles } from '../../../src/fleet/admin/folder.ts';
import { initFleet } from '../../../src/fleet/admin/init.ts';
import { connectClient, invite, remove } from '../../../src/fleet/admin/invite.ts';
import { join as joinFleet } from '../../../src/fleet/admin/join.ts';
import { serveMemberOperations, serveMembership } from '../../../src/fleet/admin/serve-membership.ts';
import { type ServerProcess, startServer } from '../../../src/fleet/admin/server-process.ts';
import { parseAddress } from '../../../src/fleet/bus/address.ts';
import { connectBus } from '../../../src/fleet/bus/connect.ts';
import { Authority } from '../../../src/fleet/bus/jwt.ts';
import { ensureStreams } from '../../../src/fleet/bus/streams.ts';
import { freePort } from '../../support/fleet.ts';
import { natsServer, withoutNats } from '../../support/nats.ts';
import { waitFor } from '../../support/world.ts';

test('without one of three servers members still join, and a removed member is cut off at all of them', {
  skip: withoutNats,
}, async () => {
  const base = mkdtempSync(join(tmpdir(), 'outlive-three-'));
  const servers: ServerProcess[] = [];
  try {
    const folder = FleetFolder.open(join(base, 'config', 'fleet'));
    const ports = [await freePort(), await freePort(), await freePort()];
    await initFleet(folder, {
      servers: ports.map((port) => parseAddress(`tls://127.0.0.1:${port}`)),
      listenHost: '127.0.0.1',
      dataFolder: join(base, 'data'),
    });
    const configs = [fleetFiles.config, fleetFiles.config2, fleetFiles.config3];
    const program = natsServer() ?? '';
    servers.push(
      ...(await Promise.all(configs.map(async (config) => await startServer(folder, program, config)))),
    );
    const authority = await Authority.load();
    const has = readCredentials.coordinator(folder) ?? assert.fail();
    const { fleet, seed } = has;
    const name = authority.keyOf(seed).publicKey;
    await using bus = await connectBus({
      servers: fleet.servers,
      ca: fleet.ca,
      name,
      seed,
      token: () => has.token,
    });
    // The servers first choose a leader.
    let last: unknown;
    const made = async () =>
      await ensureStreams(bus.connection, 3).then(
        () => true,
        (error: unknown) => {
          last = error;
          return false;
        },
      );
    await waitFor(made, 'three servers to have the streams').catch((error: Error) => {
      throw new Error(error.message, { cause: last });
    });
    // A coordinator is to use the server beside it, and not one by chance.
    for (const own of fleet.servers) {
      const servers = [own, ...fleet.servers.filter((one) => one !== own)];
      await using ordered = await connectBus({
        servers,
        inOrder: true,
        ca: fleet.ca,
        name,
        seed,
        token: () => has.token,
      });
      assert.match(ordered.connection.getServer(), new RegExp(`:${own.port}$`));
    }
    await using membership = await serveMembership(bus, has, (revoked) =>
      writeCredentials.coordinator(folder, { ...has, revoked }),
    );
    await using _operations = await serveMemberOperations(bus, has, membership);
    const admin = readCredentials.client(folder) ?? assert.fail();
    await using link = await connectClient(admin);
    const line = await invite(link, admin, { kind: 'host', labels: {}, slots: null }, 60_000);
    const own = FleetFolder.open(join(base, 'h1', 'fleet'));
    await joinFleet(own, line, 'h1');
    const host = readCredentials.host(own) ?? assert.fail();
    const at = async (index: number) =>
      await connectBus({
        servers: host.fleet.servers.slice(index, index + 1),
        ca: host.fleet.ca,
        name: 'h1',
        seed: host.seed,
        token: () => host.token,
      });
    const everywhere = await Promise.all([at(0), at(1), at(2)]);
    for (const one of everywhere) await one.connection.flush();
    await remove(link, { kind: 'host', member: 'h1' });
    for (const one of everywhere) assert.ok((await one.connection.closed()) instanceof Error);
    for (const index of [0, 1, 2]) await assert.rejects(at(index), { code: 'FLEET_REFUSED' });
    // One of them goes: what is written is still taken.
    await servers[2]?.[Symbol.asyncDispose]();
    await waitFor(
      async () =>
        await bus.nats.jetstream
          .jetstream(bus.connection)
          .publish('assign.h2.bgb-111111111111', 'x', { timeout: 1_000 })
          .then(
            ({ seq }) => seq > 0,
            () => false,
          ),
      'two servers to take a message',
    );
  } finally {
    for (const server of servers) await server[Symbol.asyncDispose]();
    rmSync(base, { recursive: true, force: true });
  }
});
