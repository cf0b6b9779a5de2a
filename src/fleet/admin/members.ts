import type { KV } from '@nats-io/kv';
import { OutliveError } from '../../errors/error.ts';
import { expected, tolerate } from '../../errors/expected.ts';
import type { Bus } from '../bus/connect.ts';
import { openBucket } from '../bus/streams.ts';
import { Fields } from '../wire/fields.ts';
import {
  asHostOf,
  type Invited,
  invitedOf,
  type Role,
  roles,
  signerForm,
  userKeyForm,
} from '../wire/membership.ts';
import { buckets, hostForm } from '../wire/names.ts';

/** The version of the records. */
const version = 1;

/** A host or a client that was let in. */
interface Member {
  /** The public key of its connection. */
  readonly key: string;
  /** Epoch milliseconds of the coordinator's clock. */
  readonly since: number;
  /** When it was removed, in epoch milliseconds; `null`: it is a member. */
  readonly removedAt: number | null;
}

/** A host. */
export interface HostMember extends Member {
  readonly labels: Readonly<Record<string, string>>;
  /** `null`: as many as it has cores. */
  readonly slots: number | null;
}

/** A client. */
export interface ClientMember extends Member {
  readonly role: Role;
}

/** An invitation, without its secret. */
export interface Invitation {
  /** The public key that comes of its secret. */
  readonly key: string;
  readonly invited: Invited;
  /** Epoch milliseconds of the coordinator's clock. */
  readonly expiresAt: number;
  /** The member that used it, by its name, or for a client by its signer; `null` if nobody has used it yet. */
  readonly used: { readonly key: string; readonly member: string; readonly isDone: boolean } | null;
}

/** A key that is let in no more. */
interface RevokedKey {
  /** Tokens that were issued up to then are not good, in epoch milliseconds. */
  readonly at: number;
}

/** A record with the number that the next write has to name. */
export interface Numbered<T> {
  readonly revision: number;
  readonly record: T;
}

/** The kinds of records, and what is before the dot in their keys. */
interface Records {
  readonly host: HostMember;
  readonly client: ClientMember;
  readonly invitation: Invitation;
  readonly revoked: RevokedKey;
}

const readers: { readonly [Kind in keyof Records]: (fields: Fields) => Records[Kind] } = {
  host: (fields) => ({
    ...memberOf(fields),
    ...asHostOf(fields),
  }),
  client: (fields) => ({ ...memberOf(fields), role: fields.oneOf('role', roles) }),
  invitation: (fields) => ({
    key: fields.formed('key', userKeyForm),
    invited: invitedOf(fields.inner('invited')),
    expiresAt: fields.whole('expiresAt'),
    used: usedOf(fields),
  }),
  revoked: (fields) => ({ at: fields.whole('at') }),
};

/** How the last part of a key looks: the name of a host, the signer of a client, the signer of an invitation, a public key. */
const idForms: { readonly [Kind in keyof Records]: RegExp } = {
  host: hostForm,
  client: signerForm,
  invitation: signerForm,
  revoked: userKeyForm,
};

/** Whatever is wrong with a record is told. */
const nothing = expected();

/** JetStream's number for a write that expected another one before it. */
const wrongLastSequence = 10_071;

/**
 * The members of the fleet, in the bucket CONF. Every write names the revision that it read, so that only one of two
 * writes succeeds.
 */
export class Members {
  readonly #kv: KV;
  readonly #isConflict: (error: unknown) => boolean;

  private constructor(kv: KV, isConflict: (error: unknown) => boolean) {
    this.#kv = kv;
    this.#isConflict = isConflict;
  }

  /** Opens the bucket, which is there already. */
  static async open({ nats, connection }: Bus): Promise<Members> {
    const kv = await openBucket(connection, buckets.settings);
    const { JetStreamApiError } = nats.jetstream;
    return new Members(kv, (error) => error instanceof JetStreamApiError && error.code === wrongLastSequence);
  }

  /** A record; `null` if there is none. */
  async get<Kind extends keyof Records>(kind: Kind, id: string): Promise<Numbered<Records[Kind]> | null> {
    const entry = await this.#kv.get(keyOf(kind, id));
    if (entry === null || entry.operation !== 'PUT') return null;
    return { revision: entry.revision, record: recordOf(kind, id, entry.string()) };
  }

  /** Writes a record that was not there. @returns its number; `null`: there is one. */
  async create<Kind extends keyof Records>(
    kind: Kind,
    id: string,
    record: Records[Kind],
  ): Promise<number | null> {
    return await this.#unlessChanged(() => this.#kv.create(keyOf(kind, id), textOf(record)));
  }

  /** Writes a record in the place of one. @returns its number; `null`: that one was changed meanwhile. */
  async replace<Kind extends keyof Records>(
    kind: Kind,
    id: string,
    record: Records[Kind],
    revision: number,
  ): Promise<number | null> {
    return await this.#unlessChanged(() => this.#kv.update(keyOf(kind, id), textOf(record), revision));
  }

  /** Removes a record, unless it was changed meanwhile. */
  async erase(kind: keyof Records, id: string, revision: number): Promise<void> {
    await this.#unlessChanged(async () => {
      await this.#kv.purge(keyOf(kind, id), { previousSeq: revision });
      return 0;
    });
  }

  /** All records of a kind, by name, signer or key; those of removed members among them. */
  async all<Kind extends keyof Records>(kind: Kind): Promise<ReadonlyMap<string, Records[Kind]>> {
    const found = new Map<string, Records[Kind]>();
    for await (const key of await this.#kv.keys(`${kind}.*`)) {
      const id = key.slice(kind.length + 1);
      const numbered = await this.get(kind, id);
      if (numbered !== null) found.set(id, numbered.record);
    }
    return found;
  }

  /**
   * Tells of each record of a kind, as it is and when it changes.
   * @param take gets the name or the signer, and `null` for a record that is gone.
   * @returns stops that, and resolves when nothing more is told.
   */
  async watch<Kind extends keyof Records>(
    kind: Kind,
    take: (id: string, record: Records[Kind] | null) => void,
  ): Promise<() => Promise<void>> {
    const changes = await this.#kv.watch({ key: `${kind}.*` });
    const isOver = (async () => {
      for await (const entry of changes) {
        const id = entry.key.slice(kind.length + 1);
        try {
          take(id, entry.operation === 'PUT' ? recordOf(kind, id, entry.string()) : null);
        } catch (error) {
          // One record that cannot be read is no reason to hear of no other.
          tolerate(error, nothing, `reading a ${kind} of the fleet`);
        }
      }
    })();
    return async () => {
      changes.stop();
      await isOver;
    };
  }

  async #unlessChanged(write: () => Promise<number>): Promise<number | null> {
    try {
      return await write();
    } catch (error) {
      if (this.#isConflict(error)) return null;
      throw error;
    }
  }
}

function keyOf(kind: keyof Records, id: string): string {
  if (idForms[kind].test(id)) return `${kind}.${id}`;
  throw new OutliveError('INVALID_ARGUMENT', `expected the name of a ${kind}; found another text.`);
}

function textOf(record: object): string {
  return JSON.stringify({ v: version, ...record });
}

function recordOf<Kind extends keyof Records>(kind: Kind, id: string, text: string): Records[Kind] {
  const refuse = (said: string) =>
    new OutliveError('FLEET_FORGED', `${said}, in the record of the ${kind} ${id} on the servers.`);
  const fields = Fields.of(text, refuse);
  fields.oneOf('v', [version]);
  const record = readers[kind](fields);
  fields.end();
  return record;
}

function memberOf(fields: Fields): Member {
  return {
    key: fields.formed('key', userKeyForm),
    since: fields.whole('since'),
    removedAt: fields.wholeOrNull('removedAt'),
  };
}

function usedOf(fields: Fields): Invitation['used'] {
  const used = fields.innerOrNull('used');
  if (used === null) return null;
  const isDone = used.flag('isDone');
  const by = { key: used.formed('key', userKeyForm), member: used.text('member'), isDone };
  used.end();
  return by;
}
