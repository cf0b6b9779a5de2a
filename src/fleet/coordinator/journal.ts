import { setTimeout as sleep } from 'node:timers/promises';
import type { ConsumerMessages, JsMsg } from '@nats-io/jetstream';
import { expected, tolerate } from '../../errors/expected.ts';
import { warn } from '../../errors/warnings.ts';
import { ensureStreams } from '../bus/streams.ts';
import { jsonOf } from '../wire/fields.ts';
import { streams, subjects } from '../wire/names.ts';
import { readAssignment } from '../wire/read-assignment.ts';
import { isWarranted } from '../wire/warrant.ts';
import { apiCode, type Bus, isBusError, streamNotFound } from './bus.ts';
import type { Invented } from './floods.ts';
import type { StoredMessage } from './fold.ts';
import type { Ledger } from './ledger.ts';
import { sealedAfter } from './seal.ts';
import { endWhenSilent } from './silence.ts';
import { noAnswer } from './writer.ts';

/**
 * A caller of {@link Journal.reach} gives up when the journal reads nothing for this long, in milliseconds.
 */
const reachMs = 10_000;
/** How often the journal checks whether the stream is still the same one, in milliseconds. */
const eraEveryMs = 5000;
const lookAgainMs = 250;

export interface JournalOptions {
  readonly bus: Bus;
  readonly ledger: Ledger;
  /** The public key of the coordinators. */
  readonly publicKey: string;
  readonly replicas: 1 | 3;
  /**
   * Called for a refused message of a host.
   * @param invented the assignment, if its task is unknown; `null`: it is known.
   */
  readonly onRefused: (host: string, invented: Invented | null, reason: string) => void;
  /** Whether to skip what a host says about unknown tasks, because it writes too many invalid messages. */
  readonly skips: (host: string) => boolean;
  /** Called when the stream was created again. Its old data is lost. */
  readonly onEra: () => void;
}

/** A caller that waits until the journal has read a message. */
interface Waiter {
  readonly seq: number;
  readonly done: () => void;
  /** Ends the wait when nothing has been read for too long. */
  readonly timer: NodeJS.Timeout;
}

/** Reads the stream of assignments into the ledger: everything that is stored, and then each new message. */
export class Journal implements AsyncDisposable {
  readonly #options: JournalOptions;
  readonly #waiting = new Set<Waiter>();
  #era = '';
  #seq = 0;
  #messages: ConsumerMessages | undefined;
  #isClosed = false;
  #isSure = false;
  #isLookingAtEra = false;
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: JournalOptions) {
    this.#options = options;
  }

  /** When the servers created the stream. */
  get era(): string {
    return this.#era;
  }

  /** Creates missing streams, and reads everything that is stored. */
  async start(): Promise<void> {
    this.#era = await this.#ensure();
    this.#isSure = true;
    this.#running = this.#follow();
    await this.reach();
    this.#timer = setInterval(() => void this.lookAtEra(), eraEveryMs);
  }

  /**
   * Waits until everything that is stored now has been read, however long that takes.
   * @throws OutliveError `FLEET_UNREACHABLE` when the stream does not answer, or the journal stops reading.
   */
  async reach(): Promise<void> {
    const info = await answered(() => this.#options.bus.manager.streams.info(streams.assignments));
    const seq = info.state.last_seq;
    if (seq <= this.#seq) return;
    await new Promise<void>((resolve, reject) => {
      const done = (): void => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(waiter);
        reject(noAnswer(new Error(`message ${seq} was not read; ${this.#seq} was`)));
      }, reachMs);
      const waiter = { seq, done, timer };
      this.#waiting.add(waiter);
    });
  }

  /** Whether anything is stored on the subjects of a task. @throws OutliveError `FLEET_UNREACHABLE`. */
  async hasAny(task: string): Promise<boolean> {
    const { streams: api } = this.#options.bus.manager;
    const last = { last_by_subj: `assign.*.${task}` };
    return (await answered(() => api.getMessage(streams.assignments, last))) !== null;
  }

  /** The connection is gone. Later the stream may be another one, so nothing is decided before that is checked. */
  doubt(): void {
    this.#isSure = false;
  }

  /** Whether the servers are known to have the stream that was read. */
  get isSure(): boolean {
    return this.#isSure;
  }

  /**
   * Checks whether the stream is still the same. If its data was lost, creates it again and forgets all that was read.
   */
  async lookAtEra(): Promise<void> {
    if (this.#isLookingAtEra || this.#isClosed) return;
    this.#isLookingAtEra = true;
    try {
      const found = await this.#eraNow();
      // If this stream is gone or new, the other streams and the buckets may be gone as well.
      const era = found === this.#era ? found : await this.#ensure();
      this.#isSure = true;
      if (era === this.#era) return;
      this.#era = era;
      this.#seq = 0;
      this.#options.ledger.clear();
      this.#options.onEra();
      this.#messages?.stop();
    } catch (error) {
      // The stream has no leader now, or the connection is gone. It is checked again later.
      if (!isBusError(error)) throw error;
      if (!this.#isSure) setTimeout(() => void this.lookAtEra(), lookAgainMs).unref();
    } finally {
      this.#isLookingAtEra = false;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#messages?.stop();
    await this.#running;
  }

  async #follow(): Promise<void> {
    while (!this.#isClosed) {
      const era = this.#era;
      try {
        const consumer = await this.#options.bus.stream.consumers.get(streams.assignments, {
          opt_start_seq: this.#seq + 1,
        });
        this.#messages = await consumer.consume({
          max_messages: 1000,
          idle_heartbeat: 2000,
          expires: 10_000,
        });
        if (this.#isClosed) this.#messages.stop();
        void endWhenSilent(this.#messages);
        for await (const message of this.#messages) if (era === this.#era) this.#take(message);
      } catch (error) {
        if (!isBusError(error)) throw error;
        if (!this.#options.bus.connection.isClosed())
          warn({ doing: 'reading the stream of assignments', error });
        else return;
      }
      if (!this.#isClosed && era === this.#era) await sleep(100);
    }
  }

  /** When the servers created the stream; `null`: it does not exist. */
  async #eraNow(): Promise<string | null> {
    try {
      return (await this.#options.bus.manager.streams.info(streams.assignments)).created;
    } catch (error) {
      if (apiCode(error) !== streamNotFound) throw error;
      return null;
    }
  }

  async #ensure(): Promise<string> {
    const { bus, replicas } = this.#options;
    return await ensureStreams(bus.connection, replicas);
  }

  #take(message: JsMsg): void {
    const { ledger } = this.#options;
    const [, host = '', task = ''] = message.subject.split('.');
    // The ledger already has what this coordinator wrote. Checking its own signature would take longer than all else.
    const isKnown = message.seq <= (ledger.heldBy(host, task)?.seq ?? 0);
    const isLeftOut = ledger.get(task) === undefined && this.#options.skips(host);
    if (!isKnown && !isLeftOut) this.#tell(message, host, task);
    this.#seq = Math.max(this.#seq, message.seq);
    for (const waiter of [...this.#waiting]) {
      // The journal makes progress. Reading a week of a large fleet takes a while.
      if (waiter.seq > this.#seq) waiter.timer.refresh();
      else {
        this.#waiting.delete(waiter);
        waiter.done();
      }
    }
  }

  #tell(message: JsMsg, host: string, task: string): void {
    const { ledger, onRefused } = this.#options;
    const stored = this.#read(message);
    const verdict =
      stored === null ? { refused: 'a message that is not an assignment' } : ledger.take(stored);
    if (stored === null) ledger.pass(host, task, message.seq);
    if (typeof verdict === 'object')
      onRefused(
        host,
        ledger.get(task) === undefined ? { host, task, seq: message.seq } : null,
        verdict.refused,
      );
  }

  /** `null` if the message is not an assignment, or belongs to another subject. */
  #read({ seq, subject, data, headers }: JsMsg): StoredMessage | null {
    try {
      const assignment = readAssignment(jsonOf(data, 'an assignment'));
      if (subject !== subjects.assignment(assignment.host, assignment.task)) return null;
      const { publicKey } = this.#options;
      return {
        seq,
        after: sealedAfter(headers, publicKey, subject, data),
        assignment,
        isWarranted: () => isWarranted(assignment, publicKey),
      };
    } catch (error) {
      tolerate(error, expected('FLEET_FORGED'), 'reading an assignment');
      return null;
    }
  }
}

/** @throws OutliveError `FLEET_UNREACHABLE` for an error of the bus. */
async function answered<Value>(ask: () => Promise<Value>): Promise<Value> {
  try {
    return await ask();
  } catch (error) {
    if (!isBusError(error)) throw error;
    throw noAnswer(error);
  }
}
