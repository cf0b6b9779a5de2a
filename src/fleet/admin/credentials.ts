import { OutliveError } from '../../errors/error.ts';
import { type Address, addressText, parseAddress } from '../bus/address.ts';
import { Fields } from '../wire/fields.ts';
import { asHostOf, type Role, roles, signerForm, tokenForm, userKeyForm } from '../wire/membership.ts';
import { hostForm } from '../wire/names.ts';
import { type FleetFile, type FleetFolder, fleetFiles } from './folder.ts';

/** The most removed keys in a file. The limit on the size of the file is reached earlier. */
const mostRevoked = 100_000;

/** The version of the files. */
const version = 1;

/** What every member knows about its fleet. */
export interface Fleet {
  readonly servers: readonly Address[];
  /** The certificate of the fleet's authority (PEM); `null`: all servers are on loopback. */
  readonly ca: string | null;
  /** The public key with which the coordinator signs. */
  readonly coordinator: string;
}

/** What a member needs to connect. */
interface Login {
  /** The secret of its connection. */
  readonly seed: string;
  /** Says who has that secret, and until when it is valid. The fleet has signed it. */
  readonly token: string;
}

export interface HostCredentials extends Login {
  readonly fleet: Fleet;
  readonly name: string;
  /** The labels from its invitation. */
  readonly labels: Readonly<Record<string, string>>;
  /** How many tasks may run on it at a time; `null`: one for each core. */
  readonly slots: number | null;
}

export interface ClientCredentials extends Login {
  readonly fleet: Fleet;
  readonly role: Role;
  /** The 32 secret bytes with which it signs its requests, in base64url. */
  readonly signingSeed: string;
}

/** The credentials of a coordinator. With them it can let anyone into the fleet. */
export interface CoordinatorCredentials extends Login {
  readonly fleet: Fleet;
  /** The 32 secret bytes with which it signs, in base64url. */
  readonly signingSeed: string;
  /** The public key of the account of the fleet. */
  readonly account: string;
  /** The public key that signs coordinators. The operator has its secret. */
  readonly coordinatorScope: string;
  /** The secret keys that sign members. */
  readonly hostScope: string;
  readonly clientScope: string;
  readonly newcomerScope: string;
  /** The secret key that signs the account, when a member is removed. */
  readonly operatorSigner: string;
  /** Its login to send the account to the servers. */
  readonly system: Login;
  /** How many servers store the data. */
  readonly replicas: 1 | 3;
  /** The public keys of the first client, an admin who needed no invitation. */
  readonly admin: { readonly key: string; readonly signer: string };
  /**
   * Removed public keys, each with the second up to which its tokens are not valid. The account has them too. This copy
   * is for the case that the servers lose all their data.
   */
  readonly revoked: Readonly<Record<string, number>>;
}

/** The credentials of the operator. They may be kept offline, because a running fleet does not need them. */
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

/** Reads the file of an operator, a coordinator, a client or a host; `null`: there is none. */
export const readCredentials = {
  host: (folder: FleetFolder): HostCredentials | null => read(folder, fleetFiles.host, hostOf),
  client: (folder: FleetFolder): ClientCredentials | null => read(folder, fleetFiles.client, clientOf),
  coordinator: (folder: FleetFolder): CoordinatorCredentials | null =>
    read(folder, fleetFiles.coordinator, coordinatorOf),
  operator: (folder: FleetFolder): OperatorCredentials | null =>
    read(folder, fleetFiles.operator, operatorOf),
};

/** Writes such a file, and replaces an older one. */
export const writeCredentials = {
  host: (folder: FleetFolder, has: HostCredentials): void => write(folder, fleetFiles.host, has),
  client: (folder: FleetFolder, has: ClientCredentials): void => write(folder, fleetFiles.client, has),
  coordinator: (folder: FleetFolder, has: CoordinatorCredentials): void =>
    write(folder, fleetFiles.coordinator, has),
  operator: (folder: FleetFolder, has: OperatorCredentials): void => write(folder, fleetFiles.operator, has),
};

/** A fleet in the form of the files, and of the coordinator's answer to newcomers. */
export function fleetAsData({ servers, ca, coordinator }: Fleet): object {
  return { servers: servers.map(addressText), ca, coordinator };
}

/** Reads a fleet that {@link fleetAsData} has written. */
export function fleetOf(fields: Fields): Fleet {
  const fleet = {
    servers: fields.texts('servers', 9).map(parseAddress),
    ca: fields.formedOrNull('ca', forms.certificate),
    coordinator: fields.formed('coordinator', signerForm),
  };
  fields.end();
  return fleet;
}

function write(folder: FleetFolder, file: FleetFile, has: object): void {
  const data = 'fleet' in has ? { ...has, fleet: fleetAsData(has.fleet as Fleet) } : has;
  folder.write(file, `${JSON.stringify({ v: version, ...data }, null, 2)}\n`);
}

function read<T>(folder: FleetFolder, file: FleetFile, take: (fields: Fields) => T): T | null {
  const text = folder.read(file);
  if (text === null) return null;
  const path = folder.pathOf(file);
  const refuse = (said: string) =>
    new OutliveError('FLEET_CREDENTIALS', `${said}, in ${path}.`, { details: { path } });
  const fields = Fields.of(text, refuse);
  const found = fields.whole('v');
  if (found !== version)
    throw refuse(
      `expected version ${version}, which this outlive knows; found version ${found}, of a newer outlive: upgrade outlive`,
    );
  const has = take(fields);
  fields.end();
  return has;
}

function loginOf(fields: Fields): Login {
  return { seed: fields.formed('seed', forms.userSeed), token: fields.formed('token', tokenForm) };
}

function hostOf(fields: Fields): HostCredentials {
  return {
    fleet: fleetOf(fields.inner('fleet')),
    ...loginOf(fields),
    name: fields.formed('name', hostForm),
    ...asHostOf(fields),
  };
}

function clientOf(fields: Fields): ClientCredentials {
  return {
    fleet: fleetOf(fields.inner('fleet')),
    ...loginOf(fields),
    role: fields.oneOf('role', roles),
    signingSeed: fields.formed('signingSeed', signerForm),
  };
}

function coordinatorOf(fields: Fields): CoordinatorCredentials {
  const system = fields.inner('system');
  const admin = fields.inner('admin');
  const has = {
    fleet: fleetOf(fields.inner('fleet')),
    ...loginOf(fields),
    signingSeed: fields.formed('signingSeed', signerForm),
    account: fields.formed('account', forms.accountKey),
    coordinatorScope: fields.formed('coordinatorScope', forms.accountKey),
    hostScope: fields.formed('hostScope', forms.seed),
    clientScope: fields.formed('clientScope', forms.seed),
    newcomerScope: fields.formed('newcomerScope', forms.seed),
    operatorSigner: fields.formed('operatorSigner', forms.seed),
    system: loginOf(system),
    replicas: fields.oneOf('replicas', [1, 3] as const),
    admin: { key: admin.formed('key', userKeyForm), signer: admin.formed('signer', signerForm) },
    revoked: fields.entries('revoked', mostRevoked, (inner, key) => inner.whole(key)),
  };
  system.end();
  admin.end();
  return has;
}

function operatorOf(fields: Fields): OperatorCredentials {
  return {
    operator: fields.formed('operator', forms.seed),
    account: fields.formed('account', forms.seed),
    systemAccount: fields.formed('systemAccount', forms.seed),
    coordinatorScope: fields.formed('coordinatorScope', forms.seed),
  };
}
