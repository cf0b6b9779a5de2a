import { randomUUID } from 'node:crypto';
import type { NatsConnection } from '@nats-io/transport-node';
import type { RemoteSpec } from '../../../src/fleet/wire/assignment.ts';
import { type Operation, subjects, wireVersion } from '../../../src/fleet/wire/names.ts';
import type { Answer, RemoteHost, RemoteTask } from '../../../src/fleet/wire/operations.ts';
import { open, SeenNonces, type SigningKey, sign, signingKey } from '../../../src/fleet/wire/signed.ts';

/** A client that signs what it asks for. */
export class FakeClient {
  readonly key: SigningKey;
  readonly #connection: NatsConnection;
  readonly #issuer: string;

  constructor(connection: NatsConnection, issuer: string, key = signingKey()) {
    this.#connection = connection;
    this.#issuer = issuer;
    this.key = key;
  }

  /** The whole answer. @throws an error of the bus where there is none. */
  async ask<Value>(operation: Operation, body: object, timeout = 5000): Promise<Answer<Value>> {
    const subject = subjects.operation(operation);
    const bytes = sign({ v: wireVersion, ...body }, this.key, { audience: 'coordinator', subject });
    const answer = await this.#connection.request(subject, bytes, { timeout });
    const opened = open(answer.data, {
      audience: this.key.publicKey,
      subject,
      issuers: new Set([this.#issuer]),
      seen: new SeenNonces(),
      now: Date.now(),
    });
    return opened.body as Answer<Value>;
  }

  /** What was asked for. @throws where it was refused. */
  async get<Value>(operation: Operation, body: object, timeout?: number): Promise<Value> {
    const { value, refusal } = await this.ask<Value>(operation, body, timeout);
    if (refusal !== undefined) throw new Error(`${refusal.code}: ${refusal.message}`);
    return value as Value;
  }

  async run(options: RunOptions = {}, timeoutMs = 20_000): Promise<RemoteTask> {
    return await this.get<RemoteTask>('run', runRequest(options), timeoutMs);
  }

  async show(task: string): Promise<RemoteTask> {
    return await this.get<RemoteTask>('show', { task });
  }

  async hosts(): Promise<RemoteHost[]> {
    return await this.get<RemoteHost[]>('hosts', {});
  }
}

/** What a test says of a task; all else is the same for each. */
export interface RunOptions {
  readonly request?: string;
  readonly host?: string | null;
  readonly labels?: Readonly<Record<string, string | null>>;
  readonly spec?: Partial<RemoteSpec>;
  readonly startByMs?: number | null;
  readonly redispatch?: number;
  readonly era?: string | null;
  readonly acceptMs?: number;
}

/** The body of `op.run`. */
export function runRequest(options: RunOptions) {
  const {
    request = randomUUID(),
    host = null,
    labels = {},
    startByMs = null,
    redispatch = 0,
    era = null,
    acceptMs,
  } = options;
  const placement = { host, labels };
  const asked = { request, spec: aSpec(options.spec), placement, startByMs, redispatch, era };
  return acceptMs === undefined ? asked : { ...asked, acceptMs };
}

/** A specification of a task. */
export function aSpec(spec: Partial<RemoteSpec> = {}): RemoteSpec {
  return {
    ...{ command: 'true', session: 's1', name: null, labels: {}, cwd: null, env: {}, secrets: {} },
    ...{ timeoutMs: null, stdin: 'none' },
    ...spec,
  };
}
