import { warn } from '../../errors/warnings.ts';
import { subjects, wireVersion } from '../wire/names.ts';
import { type Bus, isBusError } from './bus.ts';

/** An entry in the audit stream. */
export interface AuditEntry {
  readonly host: string;
  /** What was done: `run`, `revoked`, `kill`, `cordon` and so on; `refused`: a message of the host was not believed. */
  readonly what: string;
  /** The public key of the client; `null`: the coordinator or the host did it. */
  readonly client?: string | null;
  readonly task?: string;
  readonly attempt?: number;
  readonly reason?: string | null;
}

/** The most entries about refused messages of one host in a minute. The others are only counted. */
const mostRefusedPerMinute = 10;
const minuteMs = 60_000;
/** The same reason why a host gets no lease is written again after an hour. */
const hourMs = 60 * minuteMs;

/** Writes the audit. It is a record for people: nothing waits for it, and nothing depends on it. */
export class Audit {
  readonly #bus: Bus;
  readonly #refused = new Map<string, { since: number; count: number }>();

  readonly #refusedLeases = new Map<string, { reason: string; at: number }>();

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  tell(entry: AuditEntry): void {
    const bytes = JSON.stringify({ v: wireVersion, at: Date.now(), client: null, reason: null, ...entry });
    this.#bus.stream.publish(subjects.audit(entry.host), bytes).catch((error: unknown) => {
      if (!isBusError(error)) throw error;
      if (!this.#bus.connection.isClosed()) warn({ doing: 'writing the audit', error });
    });
  }

  /** Notes that a host gets no lease. The host asks every few seconds, so the same reason is not written each time. */
  refusedLease(host: string, reason: string): void {
    const now = performance.now();
    const last = this.#refusedLeases.get(host);
    if (last !== undefined && last.reason === reason && now - last.at < hourMs) return;
    this.#refusedLeases.set(host, { reason, at: now });
    this.refused(host, reason);
  }

  /** Notes that a host's message was refused. A host may send thousands, so most of them are not written. */
  refused(host: string, reason: string): void {
    const now = performance.now();
    const found = this.#refused.get(host);
    const counted = found !== undefined && now - found.since < minuteMs ? found : { since: now, count: 0 };
    counted.count += 1;
    this.#refused.set(host, counted);
    if (counted.count <= mostRefusedPerMinute) this.tell({ host, what: 'refused', reason });
  }
}
