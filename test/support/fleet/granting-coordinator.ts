import assert from 'node:assert/strict';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, headers, type Msg, type NatsConnection } from '@nats-io/transport-node';
import { ensureStreams } from '../../../src/fleet/bus/streams.ts';
import {
  type Assignment,
  type AssignmentState,
  messageIdOf,
  type RemoteSpec,
} from '../../../src/fleet/wire/assignment.ts';
import type { EndNotice, Heartbeat, Lease, Numbered } from '../../../src/fleet/wire/messages.ts';
import { type ControlVerb, subjects, wireVersion } from '../../../src/fleet/wire/names.ts';
import { sign, signingKey } from '../../../src/fleet/wire/signed.ts';
import { randomHex } from '../../../src/util/crypto.ts';
import { waitFor } from '../world.ts';

/** What a test says of a task. */
export type TestSpec = Partial<RemoteSpec> & Pick<RemoteSpec, 'command'>;

/**
 * The coordinator's side of the wire, for the tests of host agents: on a real server, it grants leases from what stands in the
 * stream, assigns, takes back, and signs. It decides nothing by itself.
 */
export class TestCoordinator implements AsyncDisposable {
  readonly connection: NatsConnection;
  readonly key = signingKey();
  /** For how long leases are. */
  leaseMs = 30_000;
  /** Whether heartbeats are answered. */
  answers = true;
  /** Only this epoch gets a lease; `null`: each does. */
  epoch: string | null = null;
  cordoned = false;
  /** For how long a host has been alone, as leases say it; `null`: nothing of that, as an older coordinator. */
  soleMs: number | null = null;
  /** What was asked, the newest last. */
  readonly heartbeats: Heartbeat[] = [];
  /** How often the list was asked for. */
  lists = 0;
  readonly #assigned = new Map<string, string>();
  readonly #acknowledged: { task: string; attempt: number }[] = [];

  private constructor(connection: NatsConnection) {
    this.connection = connection;
  }

  /** @param user as whom it connects, with the same as its password; `null`: as nobody. */
  static async start(url: string, user: string | null): Promise<TestCoordinator> {
    const who = user === null ? {} : { user, pass: user };
    const connection = await connect({
      ...who,
      servers: url,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 50,
    });
    const coordinator = new TestCoordinator(connection);
    await coordinator.makeStreams();
    for (const subject of ['hb.*', 'list.*'])
      connection.subscribe(subject, {
        queue: 'coord',
        callback: (_error, message) => void coordinator.#lease(message).catch(whileAway),
      });
    await connection.flush();
    return coordinator;
  }

  async makeStreams(): Promise<void> {
    await ensureStreams(this.connection, 1);
  }

  /** Assigns a task to a host. @returns its id. */
  async assign(host: string, spec: TestSpec, more: Partial<Assignment> = {}): Promise<string> {
    const task = more.task ?? `bgb-${randomHex(6)}`;
    const assignment: Assignment = {
      ...{ v: wireVersion, host, task, attempt: 1, state: 'assigned', request: randomHex(8), client: 'c' },
      spec: {
        ...{ session: 'remote', name: null, labels: {}, cwd: null, env: {}, secrets: {} },
        ...{ timeoutMs: null, stdin: 'none', ...spec },
      },
      placement: { host, labels: {} },
      ...{
        startBy: null,
        redispatch: 0,
        at: Date.now(),
        by: 'coordinator',
        localId: null,
        end: null,
        reason: null,
      },
      ...more,
    };
    await this.#store(assignment, (await this.last(host, task))?.seq ?? 0);
    this.#assigned.set(task, host);
    return task;
  }

  /** Changes the state of an assignment as the coordinator does: only if nobody has since. */
  async move(host: string, task: string, state: AssignmentState): Promise<void> {
    const { assignment, seq } = await this.known(host, task);
    await this.#store({ ...assignment, state, by: 'coordinator', at: Date.now() }, seq);
  }

  /** The last message of an assignment; `null`: there is none. */
  async last(host: string, task: string): Promise<Numbered | null> {
    const manager = await jetstreamManager(this.connection);
    const found = await manager.direct.getMessage('ASSIGN', {
      last_by_subj: subjects.assignment(host, task),
    });
    return found && { seq: found.seq, assignment: found.json<Assignment>() };
  }

  async known(host: string, task: string): Promise<Numbered> {
    const found = await this.last(host, task);
    assert.ok(found, `expected an assignment of ${task}`);
    return found;
  }

  /** Waits until an assignment has a state. */
  async until(host: string, task: string, state: AssignmentState): Promise<Assignment> {
    let last: Numbered | null = null;
    await waitFor(async () => {
      last = await this.last(host, task).catch(whileAway);
      return last?.assignment.state === state;
    }, `${task} to be ${state}`).catch((error: Error) => {
      throw new Error(`${error.message}; it is ${JSON.stringify(last)}`);
    });
    return (await this.known(host, task)).assignment;
  }

  /** All states that an assignment has had, as far as the stream has them. */
  async states(host: string, task: string): Promise<AssignmentState[]> {
    return (await this.#all<Assignment>('ASSIGN', subjects.assignment(host, task))).map(({ state }) => state);
  }

  /** All ends that were published of a task. */
  async ends(task: string): Promise<EndNotice[]> {
    return await this.#all<EndNotice>('DONE', `done.*.*.${task}`);
  }

  /** The bytes of a control message. */
  signed(host: string, verb: ControlVerb, body: object, audience = `host:${host}`): Uint8Array {
    return sign({ v: wireVersion, reply: null, ...body }, this.key, {
      audience,
      subject: subjects.control(host, verb),
    });
  }

  /** Tells a host to do something. @returns its answer. */
  async control<Answer = Record<string, unknown>>(
    host: string,
    verb: ControlVerb,
    body: object = {},
  ): Promise<Answer> {
    const reply = `_INBOX.coord.${randomHex(8)}`;
    const answered = this.connection.subscribe(reply, { max: 1 });
    this.connection.publish(subjects.control(host, verb), this.signed(host, verb, { ...body, reply }), {
      reply,
    });
    const give = setTimeout(() => answered.unsubscribe(), 20_000);
    for await (const message of answered) {
      clearTimeout(give);
      return message.json<Answer>();
    }
    throw new Error(`${host} did not answer to ${verb}`);
  }

  /** Tells a host of what is assigned to it. @returns its answer. */
  async offer(host: string, task: string): Promise<Record<string, unknown>> {
    return await this.control(host, 'offer', { offer: await this.known(host, task) });
  }

  /** The consumer has acknowledged an end, and the host did not hear of it. */
  async deliveredUnheard(host: string, task: string): Promise<void> {
    await this.move(host, task, 'delivered');
    this.#acknowledged.push({ task, attempt: 1 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.connection.close();
  }

  async #all<Body>(stream: string, filter: string): Promise<Body[]> {
    const found: Body[] = [];
    const consumer = await jetstream(this.connection).consumers.get(stream, { filter_subjects: filter });
    const { num_pending: pending } = await consumer.info();
    if (pending === 0) return found;
    for await (const message of await consumer.fetch({ max_messages: pending, expires: 5_000 }))
      found.push(message.json<Body>());
    return found;
  }

  async #store(assignment: Assignment, after: number): Promise<void> {
    const written = headers();
    written.set('Nats-Msg-Id', messageIdOf(assignment, after));
    written.set('Nats-Expected-Last-Subject-Sequence', String(after));
    const subject = subjects.assignment(assignment.host, assignment.task);
    const answer = await this.connection.request(subject, JSON.stringify(assignment), {
      timeout: 5_000,
      headers: written,
    });
    const { error } = answer.json<{ error?: { description: string } }>();
    if (error) throw new Error(`the assignment was not stored: ${error.description}`);
  }

  async #lease(message: Msg): Promise<void> {
    const asked = message.json<Heartbeat>();
    this.heartbeats.push(asked);
    if (message.subject.startsWith('list.')) this.lists += 1;
    if (!this.answers || (this.epoch !== null && this.epoch !== asked.epoch)) return;
    const known: Numbered[] = [];
    for (const [task, host] of this.#assigned) {
      const last = host === asked.host ? await this.last(host, task) : null;
      if (last !== null) known.push(last);
    }
    const isAll = message.subject.startsWith('list.');
    const wanted: readonly AssignmentState[] = isAll ? ['assigned', 'accepted', 'unknown'] : ['assigned'];
    const held = [...asked.holds, ...(asked.owes ?? [])];
    const isRevoked = ({ task, attempt }: { task: string; attempt: number }) =>
      known.some(
        ({ assignment: one }) => one.task === task && one.attempt === attempt && one.state === 'revoked',
      );
    const lease: Lease = {
      v: wireVersion,
      host: asked.host,
      epoch: asked.epoch,
      leaseMs: this.leaseMs,
      cordoned: this.cordoned,
      assignments: known.filter(
        ({ assignment: { state, task } }) =>
          wanted.includes(state) || (state === 'unknown' && held.some((one) => one.task === task)),
      ),
      fenced: held.filter(isRevoked),
      acknowledged: this.#acknowledged,
      ...(this.soleMs !== null && { soleMs: this.soleMs }),
    };
    message.respond(sign(lease, this.key, { audience: `host:${asked.host}`, subject: message.reply ?? '' }));
  }
}

/** The server was ended by the test, and another one is about to start. */
function whileAway(error: Error): null {
  const names = [
    'TimeoutError',
    'NoResponders',
    'RequestError',
    'JetStreamNotEnabled',
    'StreamNotFoundError',
  ];
  if (names.includes(error.name) || /timeout|stream not found/.test(error.message)) return null;
  throw error;
}
