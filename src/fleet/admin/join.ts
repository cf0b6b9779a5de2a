import { hostname } from 'node:os';
import { OutliveError } from '../../errors/error.ts';
import { crypto } from '../../util/crypto.ts';
import { connectBus } from '../bus/connect.ts';
import { Authority, type Nkey } from '../bus/jwt.ts';
import { readAnswer } from '../wire/answer.ts';
import {
  bodyOf,
  type EnrolRequest,
  type Invited,
  invitedOf,
  type Role,
  readValue,
  tokenForm,
} from '../wire/membership.ts';
import { coordinatorAudience, subjects } from '../wire/names.ts';
import { sign, signingKey } from '../wire/signed.ts';
import { type Fleet, fleetOf, readCredentials, writeCredentials } from './credentials.ts';
import { type FleetFolder, fleetFiles } from './folder.ts';
import { type InvitationLine, parseInvitation, signerOfInvitation } from './invitation.ts';
import { pinnedAuthority } from './pinned.ts';

/** How long the coordinator may take to write a new member down. */
const enrolMs = 10_000;

/** Who has joined a fleet. */
export type Joined =
  | { readonly kind: 'host'; readonly name: string; readonly fleet: Fleet }
  | { readonly kind: 'client'; readonly role: Role; readonly fleet: Fleet };

/**
 * Uses an invitation: makes the keys of this machine, which never leave it, has them signed, and writes them into the folder.
 * @param name of a host: by default that of the machine, made to fit.
 * @throws OutliveError `INVALID_ARGUMENT` for what is no invitation, `FLEET_CREDENTIALS` when this machine is a member
 * already, `FLEET_HOST` when the name is taken, `FLEET_REFUSED` when the invitation is not good any more.
 */
export async function join(
  folder: FleetFolder,
  text: string,
  name: string = ownName(hostname()),
): Promise<Joined> {
  const line = parseInvitation(text);
  checkFree(folder, line);
  const authority = await Authority.load();
  const own = authority.newKey('user');
  const signingSeed = crypto().randomBytes(32);
  const isHost = line.kind === 'host';
  const signer = isHost ? null : signingKey(signingSeed).publicKey;
  const welcome = await enrol(line, authority.keyOf(line.seed), {
    name: isHost ? name : null,
    key: own.publicKey,
    signer,
  });
  checkToken(authority, welcome.token, own, isHost ? name : 'client');
  const { fleet, token, invited } = welcome;
  const login = { seed: own.seed, token };
  if (invited.kind === 'host') {
    const { labels, slots } = invited;
    writeCredentials.host(folder, { fleet, ...login, name, labels, slots });
    return { kind: 'host', name, fleet };
  }
  const { role } = invited;
  writeCredentials.client(folder, { fleet, ...login, role, signingSeed: signingSeed.toString('base64url') });
  return { kind: 'client', role, fleet };
}

/** The name of a machine, as a host of a fleet may be called. */
export function ownName(machine: string): string {
  const [first = ''] = machine.toLowerCase().split('.');
  const fit = first
    .replace(/[^a-z0-9-]+/g, '-')
    .slice(0, 63)
    .replace(/^-+|-+$/g, '');
  return fit === '' ? 'host' : fit;
}

interface Welcome {
  readonly token: string;
  readonly fleet: Fleet;
  readonly invited: Invited;
}

async function enrol(line: InvitationLine, invitation: Nkey, request: EnrolRequest): Promise<Welcome> {
  const { server, pin, token, coordinator } = line;
  const ca = pin === null ? null : await pinnedAuthority(server, pin);
  await using bus = await connectBus({
    servers: [server],
    ca,
    name: invitation.publicKey,
    seed: invitation.seed,
    token: () => token,
  });
  const subject = subjects.operation('enrol');
  const key = signerOfInvitation(invitation.seed);
  const message = sign(bodyOf(request), key, { audience: coordinatorAudience, subject });
  const bytes = await bus.ask(subject, message, enrolMs);
  const { value } = readAnswer(bytes, coordinator, { audience: key.publicKey, subject });
  const welcome = readValue(value, (fields) => ({
    token: fields.formed('token', tokenForm),
    fleet: fleetOf(fields.inner('fleet')),
    invited: invitedOf(fields.inner('invited')),
  }));
  const isAsInvited = welcome.fleet.coordinator === coordinator && welcome.fleet.ca === ca;
  if (isAsInvited && welcome.invited.kind === line.kind) return welcome;
  throw new OutliveError(
    'FLEET_FORGED',
    'expected what the invitation says of the fleet; found another one.',
  );
}

function checkToken(authority: Authority, token: string, own: Nkey, name: string): void {
  const read = authority.read(token);
  if (read.publicKey === own.publicKey && read.name === name) return;
  throw new OutliveError('FLEET_FORGED', 'expected a token for the key of this machine; found another one.');
}

function checkFree(folder: FleetFolder, { kind }: InvitationLine): void {
  const has = readCredentials[kind](folder);
  if (has === null) return;
  const path = folder.pathOf(fleetFiles[kind]);
  throw new OutliveError(
    'FLEET_CREDENTIALS',
    `expected a machine that is no ${kind} of a fleet; found ${path}. To join another fleet, have this ${kind} removed and move the file away.`,
    { details: { path } },
  );
}
