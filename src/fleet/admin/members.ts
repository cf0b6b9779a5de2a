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

/** A member of the fleet: a host or a client. */
interface Member {
  /** The public key of its connection. */
  readonly key: string;
  /** Epoch milliseconds of the coordinator's clock. */
  readonly since: number;
  /** When it was removed, in epoch milliseconds; `null`: it is still a member. */
  readonly removedAt: number | null;
}

export interface HostMember extends Member {
  readonly labels: Readonly<Record<string, string>>;
  /** How many tasks may run on it at a time; `null`: one for each core. */
  readonly slots: number | null;
}

export interface ClientMember extends Member {
  readonly role: Role;
}

/** An invitation, without its secret. */
export interface Invitation {
  /** The public key that belongs to its secret. */
  readonly key: string;
  readonly invited: Invited;
  /** Epoch milliseconds of the coordinator's clock. */
  readonly expiresAt: number;
  /** The member that used it: the name of a host, or the signer of a client; `null`: nobody has used it yet. */
  readonly used: { readonly key: string; readonly member: string; readonly isDone: boolean } | null;
}

/** A key that the servers no longer let in. */
interface RevokedKey {
  /** Tokens that were issued up to this time are not valid. In epoch milliseconds. */
  readonly at: number;
}

/** A record with its revision, which the next write must name. */
export interface Numbered<T> {
  readonly revision: number;
  readonly record: T;
}

/** The kinds of records. The key of a record begins with its kind and a dot. */
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

/** The form of the last part of a key: the name of a host, the signer of a client or an invitation, or a public key. */
const idForms: { readonly [Kind in keyof Records]: RegExp } = {
  host: hostForm,
  client: signerForm,
  invitation: signerForm,
  revoked: userKeyForm,
};

/** Every error in a record is reported as a warning. */
const nothing = expected();

/** JetStream's error code for a write that named another last message. */
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

  /** Opens the bucket, which must exist. */
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

  /** Writes a new record. @returns its revision; `null`: the record exists already. */
  async create<Kind extends keyof Records>(
    kind: Kind,
    id: string,
    record: Records[Kind],
  ): Promise<number | null> {
    return await this.#unlessChanged(() => this.#kv.create(keyOf(kind, id), textOf(record)));
  }

  /** Replaces a record. @returns the new revision; `null`: the record has changed in the meantime. */
  async replace<Kind extends keyof Records>(
    kind: Kind,
    id: string,
    record: Records[Kind],
    revision: number,
  ): Promise<number | null> {
    return await this.#unlessChanged(() => this.#kv.update(keyOf(kind, id), textOf(record), revision));
  }

  /** Removes a record, unless it has changed in the meantime. */
  async erase(kind: keyof Records, id: string, revision: number): Promise<void> {
    await this.#unlessChanged(async () => {
      await this.#kv.purge(keyOf(kind, id), { previousSeq: revision });
      return 0;
    });
  }

  /** All records of a kind, by name, signer or key, including those of removed members. */
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
   * Calls `take` for each record of a kind, and again when a record changes.
   * @param take gets the name or the signer, and `null` for a record that is gone.
   * @returns a function that ends this. It resolves when no more calls follow.
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
          // One record that cannot be read must not stop the watch.
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
