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
import {
  type Fleet,
  fleetOf,
  type HostCredentials,
  readCredentials,
  writeCredentials,
} from './credentials.ts';
import { type FleetFolder, fleetFiles } from './folder.ts';
import { type InvitationLine, parseInvitation, signerOfInvitation } from './invitation.ts';
import { pinnedAuthority } from './pinned.ts';

/** How long the coordinator may take to store a new member. */
const enrolMs = 10_000;

/** A member that has joined a fleet. */
export type Joined =
  | { readonly kind: 'host'; readonly name: string; readonly fleet: Fleet }
  | { readonly kind: 'client'; readonly role: Role; readonly fleet: Fleet };

/**
 * Joins a fleet with an invitation. It makes the keys of this machine, which never leave it, has the coordinator sign
 * them, and writes them into the folder. A host that was a member before keeps its name and its key, so that it can
 * return after its token has expired. It makes a new key only if the old one was removed.
 * @param name of the host; `null`: the name that it had, else one that is made from the name of the machine.
 * @throws OutliveError `INVALID_ARGUMENT` if the text is not an invitation, `FLEET_CREDENTIALS` if this machine is
 * already another member, `FLEET_HOST` if the name is taken, `FLEET_REFUSED` if the invitation is no longer valid.
 */
export async function join(folder: FleetFolder, text: string, name: string | null = null): Promise<Joined> {
  const line = parseInvitation(text);
  return line.kind === 'host' ? await joinAsHost(folder, line, name) : await joinAsClient(folder, line);
}

async function joinAsHost(folder: FleetFolder, line: InvitationLine, asked: string | null): Promise<Joined> {
  const had = hostBefore(folder, line, asked);
  const name = asked ?? had?.name ?? ownName(hostname());
  const authority = await Authority.load();
  const invitation = authority.keyOf(line.seed);
  const enrolled = async (own: Nkey): Promise<Joined | null> => {
    const welcome = await enrol(line, invitation, { name, key: own.publicKey, signer: null });
    if (welcome === null) return null;
    checkToken(authority, welcome.token, own, name);
    const { fleet, token, invited } = welcome;
    if (invited.kind !== 'host') throw otherFleet();
    const { labels, slots } = invited;
    writeCredentials.host(folder, { fleet, seed: own.seed, token, name, labels, slots });
    return { kind: 'host', name, fleet };
  };
  const joined =
    (had === null ? null : await enrolled(authority.keyOf(had.seed))) ??
    (await enrolled(authority.newKey('user')));
  if (joined === null) throw otherFleet();
  return joined;
}

async function joinAsClient(folder: FleetFolder, line: InvitationLine): Promise<Joined> {
  if (readCredentials.client(folder) !== null) throw isMember(folder, 'client');
  const authority = await Authority.load();
  const own = authority.newKey('user');
  const signingSeed = crypto().randomBytes(32);
  const signer = signingKey(signingSeed).publicKey;
  const request = { name: null, key: own.publicKey, signer };
  const welcome = await enrol(line, authority.keyOf(line.seed), request);
  if (welcome?.invited.kind !== 'client') throw otherFleet();
  const { fleet, token, invited } = welcome;
  checkToken(authority, token, own, 'client');
  writeCredentials.client(folder, {
    ...{ fleet, seed: own.seed, token, role: invited.role },
    signingSeed: signingSeed.toString('base64url'),
  });
  return { kind: 'client', role: invited.role, fleet };
}

/** Makes the name of a host from the name of a machine. */
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

/** @returns `null`: the key was removed from the fleet, and the caller may try another one. */
async function enrol(line: InvitationLine, invitation: Nkey, request: EnrolRequest): Promise<Welcome | null> {
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
  const welcome = readValue(value, (fields) => {
    if (fields.has('isRemovedKey')) return fields.oneOf('isRemovedKey', [true]) && null;
    return {
      token: fields.formed('token', tokenForm),
      fleet: fleetOf(fields.inner('fleet')),
      invited: invitedOf(fields.inner('invited')),
    };
  });
  if (welcome === null) return null;
  if (welcome.fleet.coordinator === coordinator && welcome.fleet.ca === ca) return welcome;
  throw otherFleet();
}

function otherFleet(): OutliveError {
  return new OutliveError(
    'FLEET_FORGED',
    'expected the fleet that the invitation names; found another fleet.',
  );
}

function checkToken(authority: Authority, token: string, own: Nkey, name: string): void {
  const read = authority.read(token);
  if (read.publicKey === own.publicKey && read.name === name) return;
  throw new OutliveError(
    'FLEET_FORGED',
    'expected a token for the key and the name of this machine; found another token.',
  );
}

/**
 * The credentials from an earlier join; `null`: none.
 * @throws OutliveError `FLEET_CREDENTIALS` for another fleet or name.
 */
function hostBefore(
  folder: FleetFolder,
  { coordinator }: InvitationLine,
  name: string | null,
): HostCredentials | null {
  const had = readCredentials.host(folder);
  if (had === null) return null;
  if (had.fleet.coordinator === coordinator && (name === null || name === had.name)) return had;
  throw isMember(folder, 'host');
}

function isMember(folder: FleetFolder, kind: 'host' | 'client'): OutliveError {
  const path = folder.pathOf(fleetFiles[kind]);
  return new OutliveError(
    'FLEET_CREDENTIALS',
    `expected a machine that is not yet a ${kind} of a fleet; found ${path}. To join as another ${kind}, have this ${kind} removed and move the file away.`,
    { details: { path } },
  );
}
