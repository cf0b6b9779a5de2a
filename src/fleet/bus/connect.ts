import type { ConnectionOptions, NatsConnection } from '@nats-io/transport-node';
import { OutliveError, shown } from '../../errors/error.ts';
import { inboxOf } from '../wire/names.ts';
import { type Address, addressText, endpoint } from './address.ts';
import { checkServerVersion, loadNats, type NatsPackages } from './packages.ts';

/** The time between two pings. After two pings without an answer the connection counts as lost. */
const pingMs = 5_000;

/** How long a server may take to accept a connection. */
const connectMs = 5_000;

/** The time between two attempts to reach the same server, and a random part, so that not all members come at once. */
const reconnectMs = 250;
const reconnectJitterMs = 1_000;

/** How long an answer may take. The coordinator waits for at most three disks. */
const answerMs = 2_000;

/** Who connects, and to which servers. */
export interface BusOptions {
  /** All servers of the fleet. One that answers is enough. */
  readonly servers: readonly Address[];
  /** Try the servers in this order. By default the client starts with a random one. */
  readonly inOrder?: boolean;
  /** The certificate of the fleet's own authority (PEM), for servers that are not on loopback; `null` on loopback. */
  readonly ca: string | null;
  /** Names the inbox for answers: the name of a host, or the public key of the connection. */
  readonly name: string;
  /** Returns the token of the connection. It is called at each connect, because the token may have been renewed. */
  readonly token: () => string;
  /** The secret that the token belongs to. */
  readonly seed: string;
  /** Wait forever for the first connect, as for all later ones. By default it fails when no server answers. */
  readonly patient?: boolean;
}

/**
 * A connection to the servers of a fleet. It reconnects forever. It closes by itself only when the servers have refused
 * its token twice: the token has expired, or its holder was removed. The NATS client sometimes gives another reason.
 */
export interface Bus extends AsyncDisposable {
  readonly nats: NatsPackages;
  readonly connection: NatsConnection;
  /**
   * Sends a message to a subject, and waits for the answer.
   * @param withinMs 2,000 by default.
   * @throws OutliveError `FLEET_UNREACHABLE` when nobody answers.
   */
  ask(subject: string, bytes: Uint8Array, withinMs?: number): Promise<Uint8Array>;
}

/**
 * Connects to a fleet.
 * @throws OutliveError `FLEET_PACKAGES` when the packages are missing or the server is too old, `FLEET_UNREACHABLE` when no
 * server answers, `FLEET_REFUSED` when the server refuses this party.
 */
export async function connectBus(options: BusOptions): Promise<Bus> {
  const nats = await loadNats();
  const connection = await connect(nats, options);
  try {
    checkServerVersion(connection.info?.version ?? '');
  } catch (error) {
    await connection.close();
    throw error;
  }
  return {
    nats,
    connection,
    ask: async (subject, bytes, withinMs = answerMs) => await ask(connection, subject, bytes, withinMs),
    [Symbol.asyncDispose]: async () => await connection.close(),
  };
}

async function connect(nats: NatsPackages, options: BusOptions): Promise<NatsConnection> {
  const { core } = nats;
  const { servers, ca, seed, token } = options;
  const isPlain = servers.every((server) => server.isPlain);
  if (!isPlain && (ca === null || servers.some((server) => server.isPlain)))
    throw new OutliveError(
      'INVALID_ARGUMENT',
      `expected servers on loopback, or others with the certificate of the fleet's authority; found ${shown(servers.map(addressText))}.`,
    );
  const settings: ConnectionOptions = {
    servers: servers.map(endpoint),
    noRandomize: options.inOrder === true,
    authenticator: core.jwtAuthenticator(token, Buffer.from(seed)),
    inboxPrefix: inboxOf(options.name),
    pingInterval: pingMs,
    maxPingOut: 2,
    timeout: connectMs,
    maxReconnectAttempts: -1,
    reconnectTimeWait: reconnectMs,
    reconnectJitter: reconnectJitterMs,
    reconnectJitterTLS: reconnectJitterMs,
    waitOnFirstConnect: options.patient === true,
    // Use only the configured addresses, not those that a server announces.
    ignoreClusterUpdates: true,
    noAsyncTraces: true,
    // TLS from the first byte, so that nobody on the way can pretend that the server has no TLS.
    tls: isPlain ? null : { ca: ca ?? '', handshakeFirst: true },
  };
  try {
    return await core.connect(settings);
  } catch (error) {
    throw await translated(error, nats, servers);
  }
}

/** A busy server closes a connection before it checks the credentials. This error does not say that they are bad. */
export function isTooSlow({ message }: Error): boolean {
  return /timeout/i.test(message);
}

async function translated(
  error: unknown,
  { core }: NatsPackages,
  servers: readonly Address[],
): Promise<unknown> {
  if (!(error instanceof Error)) return error;
  const where = servers.map(addressText).join(', ');
  const { AuthorizationError, UserAuthenticationExpiredError } = core;
  if (
    (error instanceof AuthorizationError || error instanceof UserAuthenticationExpiredError) &&
    !isTooSlow(error)
  )
    return new OutliveError(
      'FLEET_REFUSED',
      `expected ${where} to let this machine in; found that it refuses the credentials of this machine (${error.message}): they have expired, or an admin has removed it. Ask an admin of the fleet for an invitation.`,
      { cause: error },
    );
  return new OutliveError(
    'FLEET_UNREACHABLE',
    `expected a server of the fleet at ${where}; found ${error.message}. Check that outlive fleet server runs there, and that no firewall blocks it.`,
    { cause: error },
  );
}

async function ask(
  connection: NatsConnection,
  subject: string,
  bytes: Uint8Array,
  withinMs: number,
): Promise<Uint8Array> {
  try {
    return (await connection.request(subject, bytes, { timeout: withinMs })).data;
  } catch (cause) {
    // Every error of a request means that there is no answer: it is late, nobody listens, or the connection closes.
    if (!(cause instanceof Error)) throw cause;
    throw new OutliveError(
      'FLEET_UNREACHABLE',
      `expected an answer to ${subject} within ${withinMs} ms; found ${cause.message}. Ask again: the coordinator does the same request only once.`,
      { cause },
    );
  }
}
