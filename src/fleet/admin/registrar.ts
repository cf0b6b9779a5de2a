import { OutliveError } from '../../errors/error.ts';
import type { Authority } from '../bus/jwt.ts';
import type {
  EnrolRequest,
  Invited,
  InviteRequest,
  RemoveRequest,
  RenewRequest,
} from '../wire/membership.ts';
import { type CoordinatorCredentials, fleetAsData } from './credentials.ts';
import type { ClientMember, HostMember, Invitation, Members, Numbered } from './members.ts';
import type { Revocation } from './revocation.ts';
import { memberTokenMs } from './token-age.ts';

/** The most attempts of one change. Two coordinators that do the same at the same time need fewer. */
const mostAttempts = 5;

/** A request to join, with the invitation that signed it. */
interface Asking extends EnrolRequest {
  /** The public key that signed the request. It names the invitation. */
  readonly invitation: string;
}

/** Lets members in and removes them. Every request may be repeated. */
export class Registrar {
  readonly #authority: Authority;
  readonly #credentials: CoordinatorCredentials;
  readonly #members: Members;
  readonly #revocation: Revocation;

  constructor(
    authority: Authority,
    credentials: CoordinatorCredentials,
    members: Members,
    revocation: Revocation,
  ) {
    this.#authority = authority;
    this.#credentials = credentials;
    this.#members = members;
    this.#revocation = revocation;
  }

  /** Restores what may be only in this coordinator's own file: the first admin, and the removed keys. */
  async begin(): Promise<void> {
    const { admin } = this.#credentials;
    const record = { key: admin.key, role: 'admin', since: Date.now(), removedAt: null } as const;
    await this.#members.create('client', admin.signer, record);
    await this.#revocation.enforce();
  }

  /** Stores an invitation. @returns the token with which its holder may ask to join. */
  async invite({ key, signer, forMs, invited }: InviteRequest): Promise<{ readonly token: string }> {
    this.#checkKey(key);
    const expiresAt = Date.now() + forMs;
    await this.#members.create('invitation', signer, { key, invited, expiresAt, used: null });
    return { token: await this.#sign('newcomer', key, this.#credentials.newcomerScope, expiresAt) };
  }

  /**
   * Lets the holder of an invitation in, once. A host that is already a member with the same key and name gets a new
   * token, because its old one may have expired. If the key was removed, the answer says so, and the holder may try
   * another key.
   * @throws OutliveError `FLEET_REFUSED` if the invitation is not valid; `FLEET_HOST` if the name is taken: the holder
   * may try another name with the same key.
   */
  async enrol(asking: Asking): Promise<object> {
    this.#checkKey(asking.key);
    if ((await this.#members.get('revoked', asking.key)) !== null) return { isRemovedKey: true };
    for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
      const bound = await this.#bind(asking);
      if (bound === null) continue;
      const isNew = await this.#addMember(asking, bound.record);
      if (await this.#finish(asking, bound)) return await this.#welcome(asking, bound.record);
      if (isNew !== null) await this.#members.erase(kindOf(asking), memberOf(asking), isNew);
    }
    throw refused('another request with the same invitation at the same time. Ask again');
  }

  /**
   * A new token for a host that shows its current one.
   * @throws OutliveError `FLEET_REFUSED` if that one is not valid.
   */
  async renewHost(name: string, { token }: RenewRequest): Promise<{ readonly token: string }> {
    const { hostScope } = this.#credentials;
    const has = this.#authority.read(token);
    const isOurs = has.issuer === this.#authority.keyOf(hostScope).publicKey && has.name === name;
    if (!isOurs || (has.expiresAt ?? 0) < Date.now()) throw refused('an invalid token');
    // If the servers have lost all their data, the token still proves that the host is a member.
    const lost = { key: has.publicKey, labels: {}, slots: null, since: has.issuedAt, removedAt: null };
    await this.#checkMember(await this.#members.get('host', name), has.publicKey);
    await this.#members.create('host', name, lost);
    return { token: await this.#sign(name, has.publicKey, hostScope, Date.now() + memberTokenMs) };
  }

  /** A new token for a client that is a member. */
  async renewClient(signer: string): Promise<{ readonly token: string }> {
    const found = await this.#members.get('client', signer);
    if (found === null) throw refused('a client that is not a member');
    const { key } = found.record;
    await this.#checkMember(found, key);
    const { clientScope } = this.#credentials;
    return { token: await this.#sign('client', key, clientScope, Date.now() + memberTokenMs) };
  }

  /** Removes a member, and closes its connections. @throws OutliveError `FLEET_HOST` if there is no such member. */
  async remove({ kind, member }: RemoveRequest): Promise<object> {
    for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
      const found = await this.#members.get(kind, member);
      if (found === null)
        throw new OutliveError('FLEET_HOST', `expected a ${kind} ${member}; found none in the fleet.`, {
          details: { host: member },
        });
      const at = found.record.removedAt ?? Date.now();
      // Revoke the key first, so that it is not valid even if the rest fails.
      await this.#members.create('revoked', found.record.key, { at });
      const gone = { ...found.record, removedAt: at };
      if ((await this.#members.replace(kind, member, gone as never, found.revision)) !== null) break;
    }
    await this.#revocation.enforce();
    return {};
  }

  /** Binds an invitation to a key and a name. `null`: another writer has changed it in the meantime. */
  async #bind(asking: Asking): Promise<Numbered<Invitation> | null> {
    const found = await this.#members.get('invitation', asking.invitation);
    if (found === null) throw refused('one that the fleet does not know');
    const { record, revision } = found;
    if (record.expiresAt < Date.now()) throw refused('one that has expired');
    if (record.invited.kind !== kindOf(asking)) throw refused(`one for a ${record.invited.kind}`);
    const { used } = record;
    if (used?.key === asking.key && used.member === memberOf(asking)) return found;
    if (used !== null && (used.isDone || used.key !== asking.key)) throw refused('one that was used');
    // Check the name before binding. So the invitation stays valid for a newcomer that tries another name with another
    // key.
    const there = await this.#members.get(kindOf(asking), memberOf(asking));
    if (there !== null && there.record.key !== asking.key) throw nameTaken(memberOf(asking));
    // It may be the same newcomer with another name, because somebody took the first name at the last moment.
    const now = { ...record, used: { key: asking.key, member: memberOf(asking), isDone: false } };
    const next = await this.#members.replace('invitation', asking.invitation, now, revision);
    return next === null ? null : { revision: next, record: now };
  }

  /** Adds the member. @returns the revision of its record; `null`: an earlier request has added it. */
  async #addMember(asking: Asking, { invited }: Invitation): Promise<number | null> {
    const { key } = asking;
    const common = { key, since: Date.now(), removedAt: null };
    const id = memberOf(asking);
    const made =
      invited.kind === 'host'
        ? await this.#members.create('host', id, { ...common, labels: invited.labels, slots: invited.slots })
        : await this.#members.create('client', id, { ...common, role: invited.role });
    if (made !== null) return made;
    if (invited.kind === 'host') await this.#invitedAgain(id, key, invited);
    const there = await this.#members.get(kindOf(asking), id);
    if (there?.record.key === key && there.record.removedAt === null) return null;
    throw nameTaken(id);
  }

  /** Gives a host the labels and slots of its last invitation. */
  async #invitedAgain(name: string, key: string, invited: Invited & { kind: 'host' }): Promise<void> {
    const { labels, slots } = invited;
    const there = await this.#members.get('host', name);
    if (there?.record.key !== key || there.record.removedAt !== null) return;
    await this.#members.replace('host', name, { ...there.record, labels, slots }, there.revision);
  }

  /** Marks an invitation as used. `false`: its holder has asked for another name at the same time. */
  async #finish(asking: Asking, { record, revision }: Numbered<Invitation>): Promise<boolean> {
    if (record.used === null || record.used.isDone) return true;
    const done = { ...record, used: { ...record.used, isDone: true } };
    return (await this.#members.replace('invitation', asking.invitation, done, revision)) !== null;
  }

  async #welcome(asking: Asking, { invited }: Invitation): Promise<object> {
    const { hostScope, clientScope, fleet } = this.#credentials;
    const expiresAt = Date.now() + memberTokenMs;
    const token =
      invited.kind === 'host'
        ? await this.#sign(memberOf(asking), asking.key, hostScope, expiresAt)
        : await this.#sign('client', asking.key, clientScope, expiresAt);
    return { token, fleet: fleetAsData(fleet), invited };
  }

  async #checkMember(found: Numbered<HostMember | ClientMember> | null, key: string): Promise<void> {
    const isGone = found !== null && (found.record.removedAt !== null || found.record.key !== key);
    if (isGone || (await this.#members.get('revoked', key)) !== null)
      throw refused('a member that was removed, or another member with its name');
  }

  #checkKey(key: string): void {
    if (this.#authority.isUserKey(key)) return;
    throw new OutliveError('FLEET_FORGED', 'expected the public key of a NATS user; found none.');
  }

  async #sign(name: string, publicKey: string, scope: string, expiresAt: number): Promise<string> {
    const { account } = this.#credentials;
    return await this.#authority.signUser({ name, publicKey, account, expiresAt }, scope);
  }
}

function kindOf({ name }: Asking): 'host' | 'client' {
  return name === null ? 'client' : 'host';
}

/** The name of a host, or the signer of a client. */
function memberOf({ name, signer }: Asking): string {
  const id = name ?? signer;
  if (id !== null) return id;
  throw new OutliveError(
    'FLEET_FORGED',
    'expected the name of a host or the signer of a client; found neither.',
  );
}

function nameTaken(name: string): OutliveError {
  return new OutliveError(
    'FLEET_HOST',
    `expected a name that no host has; found that another machine has the name ${name}, or had it and is not forgotten. Join with another name: outlive fleet join --name NAME. If this machine is ${name} and has lost its key, ask an admin for: outlive fleet remove ${name}, and then: outlive fleet forget ${name}`,
    { details: { host: name } },
  );
}

function refused(found: string): OutliveError {
  return new OutliveError(
    'FLEET_REFUSED',
    `expected a valid invitation or token; found ${found}. Ask an admin of the fleet for an invitation.`,
  );
}
