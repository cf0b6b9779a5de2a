import { type Fields, jsonOf, wireFields } from './fields.ts';
import { hostForm, wireVersion } from './names.ts';

/** The kinds of members. An invitation is for one of them. */
export const memberKinds = ['host', 'client'] as const;

/** One of {@link memberKinds}. */
export type MemberKind = (typeof memberKinds)[number];

/** The roles of a client. Each role includes the rights of those before it. */
export const roles = ['viewer', 'agent', 'admin'] as const;

/** One of {@link roles}. */
export type Role = (typeof roles)[number];

/** The form of the public key of a connection. */
export const userKeyForm = /^U[A-Z2-7]{55}$/;

/** The form of the public key of a signer: 32 bytes in base64url. */
export const signerForm = /^[\w-]{43}$/;

/** The form of a NATS token. */
export const tokenForm = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/** What the holder of an invitation joins as. */
export type Invited =
  | {
      readonly kind: 'host';
      readonly labels: Readonly<Record<string, string>>;
      /** How many tasks may run on it at a time; `null`: one for each core. */
      readonly slots: number | null;
    }
  | { readonly kind: 'client'; readonly role: Role };

/** An admin's request to create an invitation. The secret of the invitation stays on the admin's machine. */
export interface InviteRequest {
  /** The public keys that belong to the secret: one for the connection, one for signing. */
  readonly key: string;
  readonly signer: string;
  /** How long the invitation is valid, in milliseconds. */
  readonly forMs: number;
  readonly invited: Invited;
}

/**
 * A newcomer's request to join, signed with the key of its invitation. The newcomer's own secrets stay on its machine.
 */
export interface EnrolRequest {
  /** The name of a host; `null` for a client, which has none. */
  readonly name: string | null;
  /** The public key of its connection. */
  readonly key: string;
  /** The public key with which a client signs; `null` for a host, which signs nothing. */
  readonly signer: string | null;
}

/** A host's request for a new token. It shows the token that the host has now. */
export interface RenewRequest {
  readonly token: string;
}

/** An admin's request to remove a host or a client. */
export interface RemoveRequest {
  readonly kind: MemberKind;
  /** The name of the host, or the public key with which the client signs. */
  readonly member: string;
}

/** The most labels of a host, and the most characters of one value. A heartbeat carries all labels. */
const mostLabels = 32;
const mostLabel = 200;

/** An invitation is valid for a minute to 30 days, in milliseconds. */
const invitationBounds = { least: 60_000, most: 30 * 86_400_000 };

/** Reads a request that came from outside. @throws OutliveError `FLEET_FORGED` if it is malformed. */
export const readRequest = {
  invite: (body: unknown): InviteRequest =>
    readBody(body, (fields) => ({
      key: fields.formed('key', userKeyForm),
      signer: fields.formed('signer', signerForm),
      forMs: fields.whole('forMs', invitationBounds),
      invited: invitedOf(fields.inner('invited')),
    })),
  enrol: (body: unknown): EnrolRequest =>
    readBody(body, (fields) => ({
      name: fields.formedOrNull('name', hostForm),
      key: fields.formed('key', userKeyForm),
      signer: fields.formedOrNull('signer', signerForm),
    })),
  /** Reads plain bytes: a host signs nothing, and the servers guarantee its name. */
  renew: (bytes: Uint8Array): RenewRequest =>
    readBody(jsonOf(bytes, 'a message'), (fields) => ({ token: fields.formed('token', tokenForm) })),
  remove: (body: unknown): RemoveRequest =>
    readBody(body, (fields) => {
      const kind = fields.oneOf('kind', memberKinds);
      return { kind, member: fields.formed('member', kind === 'host' ? hostForm : signerForm) };
    }),
};

/** Adds the version of the protocol to a request. */
export function bodyOf(request: object): object {
  return { v: wireVersion, ...request };
}

/** The bytes of a request that is not signed. */
export function plainBytes(request: object): Uint8Array {
  return Buffer.from(JSON.stringify(bodyOf(request)));
}

/** Reads the value in a coordinator's answer. @throws OutliveError `FLEET_FORGED` if it is malformed. */
export function readValue<T>(value: unknown, take: (fields: Fields) => T): T {
  const fields = wireFields(value, 'an answer');
  const taken = take(fields);
  fields.end();
  return taken;
}

/** Reads a body that {@link bodyOf} has made. @throws OutliveError `FLEET_FORGED` if it is malformed. */
function readBody<T>(body: unknown, take: (fields: Fields) => T): T {
  const fields = wireFields(body, 'a message').versioned();
  const value = take(fields);
  fields.end();
  return value;
}

/** Reads what the holder of an invitation joins as, from an object that came from outside. */
export function invitedOf(fields: Fields): Invited {
  const kind = fields.oneOf('kind', memberKinds);
  const invited: Invited =
    kind === 'host' ? { kind, ...asHostOf(fields) } : { kind, role: fields.oneOf('role', roles) };
  fields.end();
  return invited;
}

/** Reads the labels and slots of an invited host, from an object that has more fields. */
export function asHostOf(fields: Fields): {
  readonly labels: Readonly<Record<string, string>>;
  readonly slots: number | null;
} {
  return {
    labels: fields.record('labels', mostLabels, mostLabel),
    slots: fields.wholeOrNull('slots', { least: 1, most: 10_000 }),
  };
}
