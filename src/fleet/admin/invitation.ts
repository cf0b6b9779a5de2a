import { OutliveError, shown } from '../../errors/error.ts';
import { crypto } from '../../util/crypto.ts';
import { type Address, endpoint, parseAddress } from '../bus/address.ts';
import { type MemberKind, memberKinds, signerForm, tokenForm } from '../wire/membership.ts';
import { type SigningKey, signingKey } from '../wire/signed.ts';

/** The version of the line. */
const version = '1';

/** The parts of the line that lets one member in, once. */
export interface InvitationLine {
  readonly kind: MemberKind;
  /** A server of the fleet. */
  readonly server: Address;
  /** The fingerprint of the fleet's authority; `null`: the server is on loopback. */
  readonly pin: string | null;
  /** The public key with which the coordinator signs. */
  readonly coordinator: string;
  /** The secret. A connection with it can send nothing but the request to join. */
  readonly seed: string;
  readonly token: string;
}

/** The line: `outlive+tls://host:4222/#...`; on loopback `outlive+plain://`. No server gets the part after the #. */
export function invitationText(line: InvitationLine): string {
  const { server, pin, kind, coordinator, seed, token } = line;
  const fields = new URLSearchParams({ v: version, kind, coordinator, seed, token });
  if (pin !== null) fields.set('pin', pin);
  return `outlive+${server.isPlain ? 'plain' : 'tls'}://${endpoint(server)}/#${fields}`;
}

/**
 * Reads the line of an invitation.
 * @throws OutliveError `INVALID_ARGUMENT` if it is not valid. The message does not show the line: it is a secret.
 */
export function parseInvitation(text: string): InvitationLine {
  const refuse = (found: string) =>
    new OutliveError(
      'INVALID_ARGUMENT',
      `expected an invitation, the whole line that outlive fleet invite has printed, in single quotes; found ${found}.`,
    );
  const [, scheme, address = '', rest = ''] =
    /^outlive\+(tls|plain):\/\/([^/#\s]{1,300})\/#([\w.&=-]{1,4000})$/.exec(text.trim()) ?? [];
  if (scheme === undefined) throw refuse(text === '' ? 'nothing' : 'another text');
  const fields = new URLSearchParams(rest);
  const take = (name: string, form: RegExp): string => {
    const [value = '', ...others] = fields.getAll(name);
    fields.delete(name);
    if (others.length === 0 && form.test(value)) return value;
    throw refuse(`one in which ${shown(name)} is missing or incomplete`);
  };
  const found = take('v', /^\d{1,9}$/);
  if (found !== version)
    throw refuse(`one of version ${found}, but this outlive knows version ${version}: upgrade outlive`);
  const server = parseAddress(`${scheme === 'tls' ? 'tls://' : ''}${address}`);
  if (server.isPlain !== (scheme === 'plain'))
    throw refuse(`one that does not encrypt the connection to ${endpoint(server)}, which is not on loopback`);
  const kind = take('kind', /^\w+$/);
  const line: InvitationLine = {
    kind: memberKinds.find((one) => one === kind) ?? 'host',
    server,
    pin: server.isPlain ? null : take('pin', signerForm),
    coordinator: take('coordinator', signerForm),
    seed: take('seed', /^SU[A-Z2-7]{56}$/),
    token: take('token', tokenForm),
  };
  if (line.kind !== kind || fields.size > 0) throw refuse('one of another version: upgrade outlive');
  return line;
}

/**
 * The key with which the holder of an invitation signs. It is not the key of the connection, because a server can make
 * the holder sign anything with that one.
 */
export function signerOfInvitation(seed: string): SigningKey {
  const bytes = crypto().hkdfSync('sha256', seed, '', 'outlive fleet invitation', 32);
  return signingKey(new Uint8Array(bytes));
}
