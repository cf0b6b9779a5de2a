import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { OutliveError, shown } from '../../errors/error.ts';
import { crypto } from '../../util/crypto.ts';
import { type Address, addressText } from '../bus/address.ts';
import { Authority, type Nkey } from '../bus/jwt.ts';
import { signingKey } from '../wire/signed.ts';
import { signAccount } from './account.ts';
import { makeAuthority, makeServerCertificate } from './certificates.ts';
import {
  type ClientCredentials,
  type CoordinatorCredentials,
  type Fleet,
  writeCredentials,
} from './credentials.ts';
import { type FleetFolder, fleetFiles } from './folder.ts';
import { systemScope } from './permissions.ts';
import { type ServerPlan, type ServerTrust, serverConfig } from './server-config.ts';

/** The options of {@link initFleet}. */
export interface InitOptions {
  /** The addresses at which members reach the servers: one or three. */
  readonly servers: readonly Address[];
  /** The address of its machine on which each server listens: `127.0.0.1`, or `0.0.0.0` for all. */
  readonly listenHost: string;
  /** The folder in which each server keeps its data: absolute. It is created on this machine. */
  readonly dataFolder: string;
}

export interface MadeFleet {
  readonly fleet: Fleet;
  readonly trust: ServerTrust;
}

/**
 * Creates a fleet: its keys, the configuration of its servers, an admin, and, if it is not on loopback, a certificate
 * authority. It writes all of them into the folder, and starts nothing. If there are three servers, the other two
 * machines need the folder too, without the files of the operator and the client.
 * @throws OutliveError `FLEET_CREDENTIALS` if the folder has a fleet already: new keys would lock out its members.
 */
export async function initFleet(folder: FleetFolder, options: InitOptions): Promise<MadeFleet> {
  checkEmpty(folder);
  checkServers(options.servers);
  const authority = await Authority.load();
  const keys = makeKeys(authority);
  const { ca, tls } = certificates(folder, options.servers);
  const signingSeed = newSigningSeed();
  const fleet: Fleet = { servers: options.servers, ca, coordinator: publicOf(signingSeed) };
  const admin: ClientCredentials = {
    fleet,
    ...(await newLogin(authority, 'client', keys.account.publicKey, keys.clientScope.seed)),
    role: 'admin',
    signingSeed: newSigningSeed(),
  };
  const coordinator = await makeCoordinator(authority, keys, { fleet, signingSeed, admin });
  const trust = await makeTrust(authority, keys, coordinator, tls);
  const configs = [fleetFiles.config, fleetFiles.config2, fleetFiles.config3];
  for (const [at, plan] of plans(options).entries()) {
    mkdirSync(plan.accountsFolder, { recursive: true, mode: 0o700 });
    folder.write(configs[at] ?? fleetFiles.config, serverConfig(plan, trust));
  }
  writeCredentials.operator(folder, {
    operator: keys.operator.seed,
    account: keys.account.seed,
    systemAccount: keys.system.seed,
    coordinatorScope: keys.coordinatorScope.seed,
  });
  writeCredentials.client(folder, admin);
  // Write this file last: with it the fleet exists.
  writeCredentials.coordinator(folder, coordinator);
  return { fleet, trust };
}

type Keys = ReturnType<typeof makeKeys>;

function makeKeys(authority: Authority) {
  return {
    operator: authority.newKey('operator'),
    operatorSigner: authority.newKey('operator'),
    system: authority.newKey('account'),
    account: authority.newKey('account'),
    coordinatorScope: authority.newKey('account'),
    hostScope: authority.newKey('account'),
    clientScope: authority.newKey('account'),
    newcomerScope: authority.newKey('account'),
  };
}

async function makeCoordinator(
  authority: Authority,
  keys: Keys,
  { fleet, signingSeed, admin }: { fleet: Fleet; signingSeed: string; admin: ClientCredentials },
): Promise<CoordinatorCredentials> {
  return {
    fleet,
    ...(await newLogin(authority, 'coordinator', keys.account.publicKey, keys.coordinatorScope.seed)),
    signingSeed,
    account: keys.account.publicKey,
    coordinatorScope: keys.coordinatorScope.publicKey,
    hostScope: keys.hostScope.seed,
    clientScope: keys.clientScope.seed,
    newcomerScope: keys.newcomerScope.seed,
    operatorSigner: keys.operatorSigner.seed,
    system: await systemLogin(authority, keys.system),
    replicas: fleet.servers.length === 3 ? 3 : 1,
    admin: { key: authority.keyOf(admin.seed).publicKey, signer: publicOf(admin.signingSeed) },
    revoked: {},
  };
}

async function makeTrust(
  authority: Authority,
  { operator, operatorSigner, system, account }: Keys,
  coordinator: CoordinatorCredentials,
  tls: ServerTrust['tls'],
): Promise<ServerTrust> {
  return {
    operator: await authority.signOperator('outlive', operator, {
      signer: operatorSigner.publicKey,
      systemAccount: system.publicKey,
    }),
    systemAccount: {
      publicKey: system.publicKey,
      token: await authority.signSystemAccount(system.publicKey, operatorSigner.seed),
    },
    account: { publicKey: account.publicKey, token: await signAccount(authority, coordinator, {}) },
    tls,
  };
}

/** How far the port for other servers is from the port for members, as usual for NATS: 4222 and 6222. */
const clusterDistance = 2_000;

function plans({ servers, listenHost, dataFolder }: InitOptions): readonly ServerPlan[] {
  const password = newSigningSeed();
  const routes = servers.map(({ host, port }) => {
    return { host, port: port + (port > 63_535 ? -clusterDistance : clusterDistance) };
  });
  return servers.map(({ port }, at) => ({
    number: at + 1,
    listen: { host: listenHost, port },
    streamsFolder: join(dataFolder, `server-${at + 1}`, 'streams'),
    accountsFolder: join(dataFolder, `server-${at + 1}`, 'accounts'),
    cluster:
      servers.length === 1
        ? null
        : {
            listen: { host: listenHost, port: routes[at]?.port ?? 0 },
            others: routes.filter((_route, other) => other !== at),
            password,
          },
  }));
}

function newSigningSeed(): string {
  return crypto().randomBytes(32).toString('base64url');
}

function publicOf(signingSeed: string): string {
  return signingKey(Buffer.from(signingSeed, 'base64url')).publicKey;
}

/** A new secret, and a token that never expires. Both stay on this machine, beside the key that could sign another. */
async function newLogin(authority: Authority, name: string, account: string, scopeSeed: string) {
  const { publicKey, seed } = authority.newKey('user');
  return {
    seed,
    token: await authority.signUser({ name, publicKey, account, expiresAt: null }, scopeSeed),
  };
}

async function systemLogin(authority: Authority, system: Nkey) {
  const { publicKey, seed } = authority.newKey('user');
  const scope = systemScope(publicKey);
  return { seed, token: await authority.signUnscoped('coordinator', publicKey, system.seed, scope) };
}

function checkEmpty(folder: FleetFolder): void {
  const found = [fleetFiles.coordinator, fleetFiles.client, fleetFiles.host].find((file) => folder.has(file));
  if (found === undefined) return;
  const path = folder.pathOf(found);
  throw new OutliveError(
    'FLEET_CREDENTIALS',
    `expected no fleet in ${folder.path}; found ${path}. New keys would lock out its members: to create a new fleet, move the folder away.`,
    { details: { path } },
  );
}

function checkServers(servers: readonly Address[]): void {
  const kinds = new Set(servers.map(({ isPlain }) => isPlain));
  if ((servers.length === 1 || servers.length === 3) && kinds.size === 1) return;
  throw new OutliveError(
    'INVALID_ARGUMENT',
    `expected one server or three, all of them on loopback or none; found ${shown(servers.map(addressText))}.`,
  );
}

function certificates(folder: FleetFolder, servers: readonly Address[]) {
  if (servers.every(({ isPlain }) => isPlain)) return { ca: null, tls: null };
  const authority = makeAuthority(folder.path);
  const server = makeServerCertificate(
    folder.path,
    authority,
    servers.map(({ host }) => host),
  );
  folder.write(fleetFiles.authority, authority.certificate);
  folder.write(fleetFiles.authorityKey, authority.key);
  // The certificate of the authority follows. Newcomers compare it with the pin of their invitation.
  folder.write(fleetFiles.server, server.certificate + authority.certificate);
  folder.write(fleetFiles.serverKey, server.key);
  return {
    ca: authority.certificate,
    tls: {
      certificate: folder.pathOf(fleetFiles.server),
      key: folder.pathOf(fleetFiles.serverKey),
      authority: folder.pathOf(fleetFiles.authority),
    },
  };
}
