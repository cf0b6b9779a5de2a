import { OutliveError } from '../../errors/error.ts';
import { type Address, addressText, parseAddress } from '../bus/address.ts';
import { type Role, roles, signerForm, tokenForm, userKeyForm } from '../wire/membership.ts';
import { hostForm } from '../wire/names.ts';
import { StrictFields } from '../wire/strict-fields.ts';
import { type FleetFile, type FleetFolder, fleetFiles } from './folder.ts';

/** The version of the files. */
const version = 1;

/** What every member knows of its fleet. */
export interface Fleet {
  readonly servers: readonly Address[];
  /** The certificate of the fleet's authority (PEM); `null`: all servers are on loopback. */
  readonly ca: string | null;
  /** The public key with which the coordinator signs. */
  readonly coordinator: string;
}

/** How a member connects. */
interface Login {
  /** The secret of its connection. */
  readonly seed: string;
  /** Says who has that secret, until when, signed by the fleet. */
  readonly token: string;
}

/** What a host has. */
export interface HostCredentials extends Login {
  readonly fleet: Fleet;
  readonly name: string;
  /** As it was invited. */
  readonly labels: Readonly<Record<string, string>>;
  /** Tasks that may run there at a time; `null`: as many as it has cores. */
  readonly slots: number | null;
}

/** What a client has. */
export interface ClientCredentials extends Login {
  readonly fleet: Fleet;
  readonly role: Role;
  /** The 32 secret bytes with which it signs its requests, in base64url. */
  readonly signingSeed: string;
}

/** What a coordinator has: with it, everybody is let in that it wants to let in. */
export interface CoordinatorCredentials extends Login {
  readonly fleet: Fleet;
  /** The 32 secret bytes with which it signs, in base64url. */
  readonly signingSeed: string;
  /** The public key of the account of the fleet. */
  readonly account: string;
  /** The public key that signs coordinators; its secret is with the operator. */
  readonly coordinatorScope: string;
  /** The secrets that sign members. */
  readonly hostScope: string;
  readonly clientScope: string;
  readonly newcomerScope: string;
  /** The secret that signs the account, when somebody is removed. */
  readonly operatorSigner: string;
  /** How it brings the account to the servers. */
  readonly system: Login;
  /** On how many servers everything is. */
  readonly replicas: 1 | 3;
  /** The public keys of the first client, which is an admin: no invitation has let it in. */
  readonly admin: { readonly key: string; readonly signer: string };
  /**
   * Public keys that were removed, with the second up to which their tokens are not good. It is in the account as well: this
   * one is for the day on which the servers have lost all.
   */
  readonly revoked: Readonly<Record<string, number>>;
}

/** What the operator keeps, off line if it likes: nobody needs it while the fleet runs. */
export interface OperatorCredentials {
  readonly operator: string;
  readonly account: string;
  readonly systemAccount: string;
  readonly coordinatorScope: string;
}

const forms = {
  seed: /^S[A-Z2-7]{57}$/,
  userSeed: /^SU[A-Z2-7]{56}$/,
  accountKey: /^A[A-Z2-7]{55}$/,
  certificate: /^-----BEGIN CERTIFICATE-----\n[A-Za-z\d+/=\n]+-----END CERTIFICATE-----\n$/,
};

/** Reads an operator's, a coordinator's, a client's or a host's file. `null`: it is not there. */
export const readCredentials = {
  host: (folder: FleetFolder): HostCredentials | null => read(folder, fleetFiles.host, hostOf),
  client: (folder: FleetFolder): ClientCredentials | null => read(folder, fleetFiles.client, clientOf),
  coordinator: (folder: FleetFolder): CoordinatorCredentials | null =>
    read(folder, fleetFiles.coordinator, coordinatorOf),
  operator: (folder: FleetFolder): OperatorCredentials | null =>
    read(folder, fleetFiles.operator, operatorOf),
};

/** Writes such a file, in the place of the one that was there. */
export const writeCredentials = {
  host: (folder: FleetFolder, has: HostCredentials): void => write(folder, fleetFiles.host, has),
  client: (folder: FleetFolder, has: ClientCredentials): void => write(folder, fleetFiles.client, has),
  coordinator: (folder: FleetFolder, has: CoordinatorCredentials): void =>
    write(folder, fleetFiles.coordinator, has),
  operator: (folder: FleetFolder, has: OperatorCredentials): void => write(folder, fleetFiles.operator, has),
};

/** A fleet as it is written down, and as the coordinator tells it to newcomers. */
export function fleetAsData({ servers, ca, coordinator }: Fleet): object {
  return { servers: servers.map(addressText), ca, coordinator };
}

/** A fleet as {@link fleetAsData} writes it. */
export function fleetOf(fields: StrictFields): Fleet {
  const fleet = {
    servers: fields.texts('servers', 9).map(parseAddress),
    ca: fields.textOrNull('ca', forms.certificate),
    coordinator: fields.text('coordinator', signerForm),
  };
  fields.end();
  return fleet;
}

function write(folder: FleetFolder, file: FleetFile, has: object): void {
  const data = 'fleet' in has ? { ...has, fleet: fleetAsData(has.fleet as Fleet) } : has;
  folder.write(file, `${JSON.stringify({ v: version, ...data }, null, 2)}\n`);
}

function read<T>(folder: FleetFolder, file: FleetFile, take: (fields: StrictFields) => T): T | null {
  const text = folder.read(file);
  if (text === null) return null;
  const path = folder.pathOf(file);
  const refuse = (said: string, cause?: unknown) =>
    new OutliveError('FLEET_CREDENTIALS', `${said}, in ${path}.`, { cause, details: { path } });
  const fields = new StrictFields(parsed(text, refuse), refuse);
  const found = fields.whole('v');
  if (found !== version)
    throw refuse(
      `expected version ${version}, which this outlive knows; found version ${found}, of a newer one: upgrade outlive`,
    );
  const has = take(fields);
  fields.end();
  return has;
}

function parsed(text: string, refuse: (said: string, cause?: unknown) => Error): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // What JSON.parse says shows a part of the text, which is secret.
    throw refuse(`expected JSON; found ${text.length} characters that are none`, (error as Error).name);
  }
}

function loginOf(fields: StrictFields): Login {
  return { seed: fields.text('seed', forms.userSeed), token: fields.text('token', tokenForm) };
}

function hostOf(fields: StrictFields): HostCredentials {
  return {
    fleet: fleetOf(fields.inner('fleet')),
    ...loginOf(fields),
    name: fields.text('name', hostForm),
    labels: fields.record('labels', 32),
    slots: fields.wholeOrNull('slots', [1, 10_000]),
  };
}

function clientOf(fields: StrictFields): ClientCredentials {
  return {
    fleet: fleetOf(fields.inner('fleet')),
    ...loginOf(fields),
    role: fields.oneOf('role', roles),
    signingSeed: fields.text('signingSeed', signerForm),
  };
}

function coordinatorOf(fields: StrictFields): CoordinatorCredentials {
  const system = fields.inner('system');
  const admin = fields.inner('admin');
  const revoked = fields.inner('revoked');
  const has = {
    fleet: fleetOf(fields.inner('fleet')),
    ...loginOf(fields),
    signingSeed: fields.text('signingSeed', signerForm),
    account: fields.text('account', forms.accountKey),
    coordinatorScope: fields.text('coordinatorScope', forms.accountKey),
    hostScope: fields.text('hostScope', forms.seed),
    clientScope: fields.text('clientScope', forms.seed),
    newcomerScope: fields.text('newcomerScope', forms.seed),
    operatorSigner: fields.text('operatorSigner', forms.seed),
    system: loginOf(system),
    replicas: fields.oneOf('replicas', [1, 3] as const),
    admin: { key: admin.text('key', userKeyForm), signer: admin.text('signer', signerForm) },
    revoked: Object.fromEntries(revoked.names().map((key) => [key, revoked.whole(key)])),
  };
  system.end();
  admin.end();
  return has;
}

function operatorOf(fields: StrictFields): OperatorCredentials {
  return {
    operator: fields.text('operator', forms.seed),
    account: fields.text('account', forms.seed),
    systemAccount: fields.text('systemAccount', forms.seed),
    coordinatorScope: fields.text('coordinatorScope', forms.seed),
  };
}
