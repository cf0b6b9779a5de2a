import { warn } from '../../errors/warnings.ts';
import { subjects, wireVersion } from '../wire/names.ts';
import { type Bus, isBusError } from './bus.ts';

/** What was done, as the stream of the audit has it. */
export interface AuditEntry {
  readonly host: string;
  /** What was done: `run`, `revoked`, `kill`, `cordon` and so on; `refused`: a message of the host was not believed. */
  readonly what: string;
  /** The public key of the client; `null`: the coordinator did it, or the host. */
  readonly client?: string | null;
  readonly task?: string;
  readonly attempt?: number;
  readonly reason?: string | null;
}

/** How many entries of refused messages of one host it writes in a minute; it counts the others. */
const mostRefusedPerMinute = 10;
const minuteMs = 60_000;
/** Why a host gets no lease is written once, and again after an hour. */
const hourMs = 60 * minuteMs;

/** Writes the audit. Nothing waits for it: it is a record for people, and decides nothing. */
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

  /** A host is there and gets no lease. It asks every few seconds. */
  refusedLease(host: string, reason: string): void {
    const now = performance.now();
    const last = this.#refusedLeases.get(host);
    if (last !== undefined && last.reason === reason && now - last.at < hourMs) return;
    this.#refusedLeases.set(host, { reason, at: now });
    this.refused(host, reason);
  }

  /** A message in the name of a host is not believed. A host may send thousands. */
  refused(host: string, reason: string): void {
    const now = performance.now();
    const found = this.#refused.get(host);
    const counted = found !== undefined && now - found.since < minuteMs ? found : { since: now, count: 0 };
    counted.count += 1;
    this.#refused.set(host, counted);
    if (counted.count <= mostRefusedPerMinute) this.tell({ host, what: 'refused', reason });
  }
}
