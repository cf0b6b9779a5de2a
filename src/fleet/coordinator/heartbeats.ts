import type { Msg } from '@nats-io/transport-node';
import { OutliveError } from '../../errors/error.ts';
import { expected, isExpected, tolerate } from '../../errors/expected.ts';
import { warn } from '../../errors/warnings.ts';
import { jsonOf } from '../wire/fields.ts';
import type { AttemptName, Heartbeat, Lease, Numbered, Refusal } from '../wire/messages.ts';
import { isHostName, isInboxOf, wireVersion } from '../wire/names.ts';
import { readHeartbeat } from '../wire/read-heartbeat.ts';
import { sign } from '../wire/signed.ts';
import { type HostRecord, newRecord } from './book.ts';
import type { Core } from './core.ts';
import { type Held, isFenced } from './fold.ts';

/** The most bytes of the assignments in one answer. A larger assignment goes alone. */
const mostAnswerBytes = 384 * 1024;

/** The shortest time between two writes of a host's record, in milliseconds. */
const noteEveryMs = 1_000;

/** Answers the heartbeats of hosts, and their requests for the list. */
export class Heartbeats {
  readonly #core: Core;
  /** When the record of a host was last stored. */
  readonly #notedAt = new Map<string, number>();
  /** The previous message. It may come twice: every coordinator hears it, and one of them must also answer it. */
  #last: { readonly bytes: Uint8Array; readonly heartbeat: Heartbeat } | undefined;

  constructor(core: Core) {
    this.#core = core;
  }

  /** Notes a heartbeat. Another coordinator may answer it, but all of them must know which hosts are alive. */
  hear(message: Msg): void {
    try {
      this.#take(message);
    } catch (error) {
      tolerate(error, foreseen, 'reading a heartbeat');
    }
  }

  /** Answers with a lease, or says why the host gets none. */
  async answer(message: Msg): Promise<void> {
    const host = hostOf(message);
    const { reply } = message;
    // On any other subject the host could make the coordinator publish something that the host chose.
    if (!isHostName(host) || !isInboxOf(host, reply)) return;
    const { journal } = this.#core;
    // The coordinator does not know now which assignments exist. The host asks again.
    if (!journal.isSure) return;
    let body: Lease | Refusal;
    try {
      const heartbeat = this.#take(message);
      const isList = message.subject.startsWith('list.');
      // The journal may not have read yet what the host stored. Read it before telling the host that it is gone.
      if (isList || this.#owesUnknown(heartbeat)) await journal.reach();
      if (!journal.isSure) return;
      body = this.#leaseFor(heartbeat, isList);
    } catch (error) {
      // The host asks again, and another coordinator may answer.
      if (isExpected(error, unreachable)) return;
      tolerate(error, foreseen, 'answering a heartbeat');
      const { code, message: text } = error as OutliveError;
      this.#core.audit.refusedLease(host, text);
      body = { v: wireVersion, code, message: text };
    }
    const { connection } = this.#core.bus;
    if (connection.isClosed() || connection.isDraining()) return;
    // The signature is for the inbox of this request, so an old answer is no lease.
    message.respond(sign(body, this.#core.key, { audience: `host:${host}`, subject: reply }));
  }

  #take(message: Msg): Heartbeat {
    const { leases, refused, book } = this.#core;
    const host = hostOf(message);
    const now = performance.now();
    try {
      const heartbeat = this.#read(message.data);
      if (heartbeat.host !== host) throw otherHost(host, `one in the name of ${heartbeat.host}`);
      if (book.get(host)?.removed === true) throw removed(host);
      const hearing = leases.hear(heartbeat, now);
      if (hearing === 'disputed') throw this.#disputed(host);
      if (hearing === 'late') throw otherHost(host, 'an agent that another agent has replaced');
      refused.delete(host);
      this.#note(heartbeat);
      this.#takeTails(heartbeat, now);
      return heartbeat;
    } catch (error) {
      if (error instanceof OutliveError && isHostName(host)) this.#refuse(host, error, now);
      throw error;
    }
  }

  #takeTails({ host, tails = [] }: Heartbeat, now: number): void {
    for (const tail of tails) {
      const held = this.#core.ledger.heldBy(host, tail.task)?.assignment;
      if (held?.state === 'accepted' && held.attempt === tail.attempt) this.#core.tails.take(host, tail, now);
    }
  }

  #disputed(host: string): OutliveError {
    const error = twoAgents(host);
    this.#core.refused.set(host, { closed: 'used by two agents', message: error.message });
    return error;
  }

  #refuse(host: string, { code, message }: OutliveError, now: number): void {
    const { refused, leases } = this.#core;
    if (code === 'FLEET_PACKAGES') {
      // It gets no tasks, but its running tasks continue. So it does not count as lost.
      leases.hearWithoutLease(host, now);
      refused.set(host, { closed: 'of another version', message });
    } else if (code !== 'FLEET_HOST') refused.set(host, { closed: 'sending invalid heartbeats', message });
  }

  #read(bytes: Uint8Array): Heartbeat {
    if (this.#last === undefined || Buffer.compare(this.#last.bytes, bytes) !== 0)
      this.#last = { bytes, heartbeat: readHeartbeat(jsonOf(bytes, 'a heartbeat'), this.#core.version) };
    return this.#last.heartbeat;
  }

  /** Stores what a host reports about itself, if that has changed. */
  #note({ host, labels, slots, version, epoch }: Heartbeat): void {
    const { book } = this.#core;
    const said = { labels, slots, version, epoch };
    if (isSaid(book.get(host), said)) return;
    // A host may report a change a thousand times a second. A later heartbeat stores what is left out here.
    const now = performance.now();
    if (now - (this.#notedAt.get(host) ?? Number.NEGATIVE_INFINITY) < noteEveryMs) return;
    this.#notedAt.set(host, now);
    book
      .change(host, (record) =>
        isSaid(record, said) ? (record ?? null) : { ...(record ?? newRecord(host)), ...said },
      )
      .catch((error: unknown) => {
        if (!(error instanceof OutliveError)) throw error;
        if (!this.#core.bus.connection.isClosed()) warn({ doing: 'storing the record of a host', error });
      });
  }

  #leaseFor(heartbeat: Heartbeat, isList: boolean): Lease {
    const { ledger, leases, book, journal } = this.#core;
    const { host, epoch, holds, owes = [], era } = heartbeat;
    const cordoned = book.get(host)?.cordoned === true || book.get(host)?.draining === true;
    const held = new Set(holds.map(({ task, attempt }) => `${task}.${attempt}`));
    const isFor = ({ assignment: { state, task, attempt } }: Held): boolean =>
      isList || (state === 'assigned' ? !cordoned : state === 'unknown' && held.has(`${task}.${attempt}`));
    // Accepted and unknown attempts come first. New offers can wait if not all fit.
    const open = ledger
      .openOn(host)
      .filter(isFor)
      .sort((a, b) => orderOf(a) - orderOf(b));
    const assignments = fitting(open);
    return {
      ...{ v: wireVersion, host, epoch, leaseMs: leases.leaseMs, cordoned, assignments },
      ...{ era: journal.era, soleMs: leases.soleMs(host, performance.now()) },
      fenced: holds.filter(({ task, attempt }) => this.#isFenced(host, task, attempt)),
      acknowledged: owes.filter((one) => this.#isSettled(host, one, era)),
      ...(assignments.length < open.length && { more: true }),
    };
  }

  #owesUnknown({ owes = [] }: Heartbeat): boolean {
    return owes.some(({ task }) => this.#core.ledger.get(task) === undefined);
  }

  #isFenced(host: string, task: string, attempt: number): boolean {
    const now = this.#core.ledger.heldBy(host, task)?.assignment;
    return now !== undefined && isFenced(now, attempt);
  }

  /**
   * Whether the consumer has the end, or nobody will ask for it.
   * @param era of the stream that has the end. A task that is gone from that stream was acknowledged before.
   */
  #isSettled(host: string, { task, attempt }: AttemptName, era: string | undefined): boolean {
    const { ledger, journal } = this.#core;
    if (ledger.get(task) === undefined) return era === journal.era;
    const now = this.#core.ledger.heldBy(host, task)?.assignment;
    const isDelivered = now?.attempt === attempt && now.state === 'delivered';
    return isDelivered || this.#isFenced(host, task, attempt);
  }
}

function orderOf({ seq, assignment }: Held): number {
  return assignment.state === 'assigned' ? seq : seq - Number.MAX_SAFE_INTEGER;
}

const unreachable = expected('FLEET_UNREACHABLE');
const foreseen = expected('FLEET_FORGED', 'FLEET_PACKAGES', 'FLEET_HOST', 'FLEET_REFUSED');

function hostOf(message: Msg): string {
  return message.subject.split('.')[1] ?? '';
}

function fitting(open: readonly Held[]): Numbered[] {
  let bytes = 0;
  const fitting: Numbered[] = [];
  for (const { seq, assignment } of open) {
    bytes += JSON.stringify(assignment).length;
    if (fitting.length > 0 && bytes > mostAnswerBytes) break;
    fitting.push({ seq, assignment });
  }
  return fitting;
}

function isSaid(
  record: HostRecord | undefined,
  said: Pick<HostRecord, 'labels' | 'slots' | 'version' | 'epoch'>,
): boolean {
  if (record === undefined || record.epoch !== said.epoch || record.slots !== said.slots) return false;
  return record.version === said.version && JSON.stringify(record.labels) === JSON.stringify(said.labels);
}

function otherHost(host: string, found: string): OutliveError {
  return new OutliveError('FLEET_HOST', `expected a heartbeat of ${host}; found ${found}.`, {
    details: { host },
  });
}

/** The coordinator cannot know which of the two agents is the true host. */
function twoAgents(host: string): OutliveError {
  return new OutliveError(
    'FLEET_HOST',
    `expected one agent of ${host}; found two that have its credential: somebody copied the machine, or stole the credential. Neither gets tasks. Stop the copy; if the credential was stolen: outlive fleet remove ${host}`,
    { details: { host } },
  );
}

function removed(host: string): OutliveError {
  return new OutliveError(
    'FLEET_REFUSED',
    `expected a host of the fleet; found ${host}, which an admin has removed.`,
  );
}
