import type { KV } from '@nats-io/kv';
import { expected, tolerate } from '../../errors/expected.ts';
import { openBucket } from '../bus/streams.ts';
import { jsonOf, wireFields } from '../wire/fields.ts';
import { buckets, hostForm, isHostName, wireVersion } from '../wire/names.ts';
import { type Bus, isBusError } from './bus.ts';
import { noAnswer } from './writer.ts';

/** The stored record of a host: what admins have set, and what the host last reported about itself. */
export interface HostRecord {
  readonly v: number;
  readonly host: string;
  /** The host gets no new tasks. */
  readonly cordoned: boolean;
  /** Tasks that the host has not accepted move to other hosts where possible. */
  readonly draining: boolean;
  /** The host gets no more leases. */
  readonly removed: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly slots: number;
  readonly version: string;
  readonly epoch: string;
}

/** The bucket of hosts. Only coordinators write it, and each of them watches it. */
export class HostBook implements AsyncDisposable {
  readonly #records = new Map<string, HostRecord>();
  readonly #revisions = new Map<string, number>();
  readonly #bus: Bus;
  #bucket: KV | undefined;
  #watch: Awaited<ReturnType<KV['watch']>> | undefined;
  #running: Promise<void> | undefined;

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  /** Reads the bucket, which must exist. Then adds the records that this coordinator knew and the bucket lacks. */
  async open(): Promise<void> {
    const known = [...this.#records.values()];
    this.#watch?.stop();
    this.#revisions.clear();
    const bucket = await openBucket(this.#bus.connection, buckets.hosts);
    this.#bucket = bucket;
    const watch = await bucket.watch();
    this.#watch = watch;
    const { promise, resolve } = promised();
    this.#running = this.#follow(watch, resolve);
    if ((await bucket.status()).values === 0) resolve();
    await promise;
    for (const record of known)
      if (!this.#revisions.has(record.host)) await this.change(record.host, () => record);
  }

  get(host: string): HostRecord | undefined {
    return this.#records.get(host);
  }

  all(): HostRecord[] {
    return [...this.#records.values()];
  }

  /**
   * Changes the record of a host. If another coordinator was first, it reads the record again and retries.
   * @param make returns the new record for the old one; `null` to remove it; the same record to leave it as it is.
   * @throws OutliveError `FLEET_UNREACHABLE` when the bucket does not answer.
   */
  async change(host: string, make: (record: HostRecord | undefined) => HostRecord | null): Promise<void> {
    const bucket = this.#bucket;
    if (bucket === undefined) throw noAnswer(new Error('the bucket of hosts is not open'));
    for (let tries = 10; ; tries -= 1) {
      const record = this.#records.get(host);
      const made = make(record);
      if (made === record) return;
      try {
        const revision = this.#revisions.get(host) ?? 0;
        if (made === null) await bucket.delete(host, { previousSeq: revision });
        else this.#note(made, await bucket.put(host, JSON.stringify(made), { previousSeq: revision }));
        if (made === null) this.#records.delete(host);
        return;
      } catch (error) {
        if (!isBusError(error)) throw error;
        if (tries === 0) throw noAnswer(error);
        await this.#reread(bucket, host);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#watch?.stop();
    await this.#running;
  }

  async #reread(bucket: KV, host: string): Promise<void> {
    try {
      const entry = await bucket.get(host);
      if (entry !== null) this.#take(entry.key, entry.operation, entry.value, entry.revision);
    } catch (error) {
      if (!isBusError(error)) throw error;
    }
  }

  async #follow(watch: Awaited<ReturnType<KV['watch']>>, onRead: () => void): Promise<void> {
    for await (const { key, operation, value, revision, delta } of watch) {
      this.#take(key, operation, value, revision);
      if (delta === 0) onRead();
    }
  }

  #take(host: string, operation: string, value: Uint8Array, revision: number): void {
    if (!isHostName(host) || revision <= (this.#revisions.get(host) ?? 0)) return;
    if (operation !== 'PUT') {
      this.#revisions.set(host, revision);
      this.#records.delete(host);
      return;
    }
    try {
      this.#note(readRecord(value), revision);
    } catch (error) {
      tolerate(error, expected('FLEET_FORGED'), 'reading the record of a host');
    }
  }

  #note(record: HostRecord, revision: number): void {
    this.#revisions.set(record.host, revision);
    this.#records.set(record.host, record);
  }
}

/** A record for a host of which only the name is known. */
export function newRecord(host: string): HostRecord {
  const flags = { cordoned: false, draining: false, removed: false };
  return { v: wireVersion, host, ...flags, labels: {}, slots: 0, version: '', epoch: '' };
}

function readRecord(bytes: Uint8Array): HostRecord {
  const fields = wireFields(jsonOf(bytes, 'the record of a host'), 'the record of a host').versioned();
  return {
    v: fields.whole('v'),
    host: fields.formed('host', hostForm),
    cordoned: fields.flag('cordoned'),
    draining: fields.flag('draining'),
    removed: fields.flag('removed'),
    labels: fields.record('labels', 100, 200),
    slots: fields.whole('slots'),
    version: fields.text('version'),
    epoch: fields.text('epoch'),
  };
}

function promised(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
