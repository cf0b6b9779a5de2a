import type { NatsConnection, Subscription } from '@nats-io/transport-node';
import { connect, headers } from '@nats-io/transport-node';
import { type Assignment, messageIdOf } from '../../../src/fleet/wire/assignment.ts';
import type { AttemptName, Lease, Numbered, Refusal } from '../../../src/fleet/wire/messages.ts';
import { subjects, wireVersion } from '../../../src/fleet/wire/names.ts';
import { open, SeenNonces } from '../../../src/fleet/wire/signed.ts';

/** What a write of a host came to. */
export type Written = { readonly seq: number; readonly isDuplicate: boolean } | 'lost' | 'no answer';

/** How a host of the tests is made. */
export interface FakeHostOptions {
  readonly url: string;
  readonly host: string;
  /** The public key of the coordinators. */
  readonly issuer: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly slots?: number;
  readonly epoch?: string;
  readonly v?: number;
  /** By how much its clock is wrong, in milliseconds. */
  readonly clockOffsetMs?: number;
}

/** A host that speaks the wire and runs nothing. It does only what a test tells it to. */
export class FakeHost implements AsyncDisposable {
  readonly connection: NatsConnection;
  readonly host: string;
  /** What the coordinator has told it to do: the verb, and the body. */
  readonly orders: { readonly verb: string; readonly body: Record<string, unknown> }[] = [];
  epoch: string;
  readonly #options: FakeHostOptions;
  readonly #subscription: Subscription;
  #onOrder: ((verb: string, body: Record<string, unknown>) => void) | undefined;

  private constructor(connection: NatsConnection, options: FakeHostOptions) {
    this.connection = connection;
    this.host = options.host;
    this.epoch = options.epoch ?? 'e1';
    this.#options = options;
    const seen = new SeenNonces();
    this.#subscription = connection.subscribe(`ctl.${this.host}.*`, {
      callback: (_error, message) => {
        const verb = message.subject.split('.')[2] ?? '';
        const { body } = open(message.data, {
          audience: `host:${this.host}`,
          subject: message.subject,
          issuers: new Set([options.issuer]),
          seen,
          now: Date.now(),
        });
        this.orders.push({ verb, body: body as Record<string, unknown> });
        this.#onOrder?.(verb, body as Record<string, unknown>);
        const { reply } = body as { reply: string | null };
        if (reply !== null) connection.publish(reply, JSON.stringify({ v: wireVersion }));
      },
    });
  }

  static async start(options: FakeHostOptions): Promise<FakeHost> {
    const connection = await connect({
      servers: options.url,
      inboxPrefix: `_INBOX.${options.host}`,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 100,
    });
    return new FakeHost(connection, options);
  }

  /** Its clock, which may be wrong. */
  now(): number {
    return Date.now() + (this.#options.clockOffsetMs ?? 0);
  }

  /** Does something at each order. */
  set onOrder(take: (verb: string, body: Record<string, unknown>) => void) {
    this.#onOrder = take;
  }

  /** Asks for the lease, or for the list. `null`: nobody answers. */
  async beat(
    said: { readonly holds?: readonly AttemptName[]; readonly owes?: readonly AttemptName[] } = {},
    kind: 'hb' | 'list' = 'hb',
  ): Promise<Lease | Refusal | null> {
    const { labels = {}, slots = 4, v = wireVersion, host } = this.#options;
    const heartbeat = {
      v,
      host,
      version: '0.1.0',
      epoch: this.epoch,
      labels,
      slots,
      holds: [],
      owes: [],
      ...said,
    };
    const subject = kind === 'hb' ? subjects.heartbeat(host) : subjects.list(host);
    try {
      const answer = await this.connection.request(subject, JSON.stringify(heartbeat), { timeout: 1000 });
      const { body } = open(answer.data, {
        audience: `host:${host}`,
        subject: answer.subject,
        issuers: new Set([this.#options.issuer]),
        seen: new SeenNonces(),
        now: Date.now(),
      });
      return body as Lease | Refusal;
    } catch (error) {
      if (isSilence(error)) return null;
      throw error;
    }
  }

  /** The lease. @throws where there is none. */
  async lease(...args: Parameters<FakeHost['beat']>): Promise<Lease> {
    const answer = await this.beat(...args);
    if (answer === null || 'code' in answer) throw new Error(`no lease: ${JSON.stringify(answer)}`);
    return answer;
  }

  /** The first of what is assigned to it. @throws where nothing is. */
  async offered(): Promise<Numbered> {
    const [numbered] = (await this.lease()).assignments;
    if (numbered === undefined) throw new Error(`nothing is assigned to ${this.host}`);
    return numbered;
  }

  /** Writes a state of an assignment, on the condition that it names; `null`: without any. */
  async write(assignment: Assignment, after: number | null): Promise<Written> {
    const own = headers();
    own.set('Nats-Msg-Id', after === null ? `${Math.random()}` : messageIdOf(assignment, after));
    if (after !== null) own.set('Nats-Expected-Last-Subject-Sequence', String(after));
    const subject = subjects.assignment(this.host, assignment.task);
    try {
      const answer = await this.connection.request(subject, JSON.stringify(assignment), {
        timeout: 2000,
        headers: own,
      });
      const {
        seq,
        duplicate = false,
        error,
      } = answer.json<{
        seq?: number;
        duplicate?: boolean;
        error?: { err_code: number };
      }>();
      if (error?.err_code === 10071) return 'lost';
      return error === undefined && seq !== undefined ? { seq, isDuplicate: duplicate } : 'no answer';
    } catch (error) {
      if (isSilence(error)) return 'no answer';
      throw error;
    }
  }

  async accept({ seq, assignment }: Numbered): Promise<Written> {
    return await this.write(acceptedBy(assignment, this.epoch, this.now()), seq);
  }

  async end(assignment: Assignment, after: number, exitCode = 0): Promise<Written> {
    return await this.write(endedBy(assignment, this.now(), exitCode), after);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#subscription.unsubscribe();
    await this.connection.close();
  }
}

/** The claim of a host that it has accepted. */
export function acceptedBy(assignment: Assignment, epoch: string, at = Date.now()): Assignment {
  return { ...assignment, state: 'accepted', by: 'host', at, epoch, localId: null, end: null, reason: null };
}

/** The claim of a host that it has ended. */
export function endedBy(assignment: Assignment, at = Date.now(), exitCode = 0): Assignment {
  const status = exitCode === 0 ? 'completed' : 'failed';
  const end = { status, exitCode, signal: null, endedAt: at, tail: 'done\n', outputBytes: 5 } as const;
  return { ...assignment, state: 'ended', by: 'host', at, localId: 'bgb-0123456789ab', end, reason: null };
}

function isSilence(error: unknown): boolean {
  const names = [
    'TimeoutError',
    'NoRespondersError',
    'RequestError',
    'ConnectionError',
    'ClosedConnectionError',
  ];
  return error instanceof Error && (names.includes(error.name) || names.includes(error.constructor.name));
}
