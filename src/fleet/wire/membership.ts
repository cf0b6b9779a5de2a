import { type Fields, jsonOf, wireFields } from './fields.ts';
import { hostForm, wireVersion } from './names.ts';

/** What an invitation is for. */
export const memberKinds = ['host', 'client'] as const;

/** One of {@link memberKinds}. */
export type MemberKind = (typeof memberKinds)[number];

/** What a client may be. Each may do what the ones before it may. */
export const roles = ['viewer', 'agent', 'admin'] as const;

/** One of {@link roles}. */
export type Role = (typeof roles)[number];

/** How the public key of a connection looks. */
export const userKeyForm = /^U[A-Z2-7]{55}$/;

/** How the public key of a signer looks: 32 bytes in base64url. */
export const signerForm = /^[\w-]{43}$/;

/** How a token of NATS looks. */
export const tokenForm = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/** What somebody is invited as. */
export type Invited =
  | {
      readonly kind: 'host';
      readonly labels: Readonly<Record<string, string>>;
      /** How many tasks may run there at a time; `null`: as many as it has cores. */
      readonly slots: number | null;
    }
  | { readonly kind: 'client'; readonly role: Role };

/** An admin asks that somebody be let in. The secret of the invitation stays where it was made. */
export interface InviteRequest {
  /** The public keys that come of the secret: of the connection, and of the signer. */
  readonly key: string;
  readonly signer: string;
  /** For how many milliseconds it is good. */
  readonly forMs: number;
  readonly invited: Invited;
}

/** A newcomer asks to be let in, signed by its invitation. Its own secrets stay with it. */
export interface EnrolRequest {
  /** The name of a host; `null`: a client, which has none. */
  readonly name: string | null;
  /** The public key of its connection. */
  readonly key: string;
  /** With what a client signs; `null`: a host, which signs nothing. */
  readonly signer: string | null;
}

/** A host asks for a new token by the one that it has. */
export interface RenewRequest {
  readonly token: string;
}

/** An admin asks that a host or a client be let in no more. */
export interface RemoveRequest {
  readonly kind: MemberKind;
  /** The name of a host; the signer of a client. */
  readonly member: string;
}

/** Labels of a host, and characters of the text of each: a heartbeat has all of them. */
const mostLabels = 32;
const mostLabel = 200;

/** Invitations are good for a minute at least, and for 30 days at most. */
const invitationBounds = { least: 60_000, most: 30 * 86_400_000 };

/** Reads a request that came from outside. @throws OutliveError `FLEET_FORGED` for one that is malformed. */
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
  /** Of the bytes themselves: a host signs nothing, and the servers vouch for its name. */
  renew: (bytes: Uint8Array): RenewRequest =>
    readBody(jsonOf(bytes, 'a message'), (fields) => ({ token: fields.formed('token', tokenForm) })),
  remove: (body: unknown): RemoveRequest =>
    readBody(body, (fields) => {
      const kind = fields.oneOf('kind', memberKinds);
      return { kind, member: fields.formed('member', kind === 'host' ? hostForm : signerForm) };
    }),
};

/** A body with the version of the wire. */
export function bodyOf(request: object): object {
  return { v: wireVersion, ...request };
}

/** The bytes of a request that is not signed. */
export function plainBytes(request: object): Uint8Array {
  return Buffer.from(JSON.stringify(bodyOf(request)));
}

/** Reads what a coordinator has answered. @throws OutliveError `FLEET_FORGED` for what is malformed. */
export function readValue<T>(value: unknown, take: (fields: Fields) => T): T {
  const fields = wireFields(value, 'an answer');
  const taken = take(fields);
  fields.end();
  return taken;
}

/** Reads a body that {@link bodyOf} has made. @throws OutliveError `FLEET_FORGED` for one that is malformed. */
function readBody<T>(body: unknown, take: (fields: Fields) => T): T {
  const fields = wireFields(body, 'a message').versioned();
  const value = take(fields);
  fields.end();
  return value;
}

/** What somebody is invited as, of an object that came from outside. */
export function invitedOf(fields: Fields): Invited {
  const kind = fields.oneOf('kind', memberKinds);
  const invited: Invited =
    kind === 'host' ? { kind, ...asHostOf(fields) } : { kind, role: fields.oneOf('role', roles) };
  fields.end();
  return invited;
}

/** As what a host was invited, of an object that has more fields. */
export function asHostOf(fields: Fields): {
  readonly labels: Readonly<Record<string, string>>;
  readonly slots: number | null;
} {
  return {
    labels: fields.record('labels', mostLabels, mostLabel),
    slots: fields.wholeOrNull('slots', { least: 1, most: 10_000 }),
  };
}
