import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream';
import type { MsgHdrs, NatsConnection } from '@nats-io/transport-node';
import { loadNats } from '../bus/packages.ts';

/** A connection with what a coordinator needs of it. */
export interface Bus {
  readonly connection: NatsConnection;
  readonly stream: JetStreamClient;
  readonly manager: JetStreamManager;
  headers(): MsgHdrs;
  /** A subject for one answer, which nobody else has. */
  newInbox(): string;
}

/** How long it waits for an answer of the stream, in milliseconds, before it asks again. */
const answerMs = 2000;

/**
 * Makes the bus of a connection.
 * @param inboxPrefix that of the connection.
 */
export async function busOf(connection: NatsConnection, inboxPrefix = '_INBOX'): Promise<Bus> {
  const { core, jetstream: streaming } = await loadNats();
  const { jetstream, jetstreamManager } = streaming;
  const options = { timeout: answerMs };
  return {
    connection,
    stream: jetstream(connection, options),
    manager: await jetstreamManager(connection, { ...options, checkAPI: false }),
    headers: () => core.headers(),
    newInbox: () => core.createInbox(inboxPrefix),
  };
}

const busErrors = new Set([
  ...['TimeoutError', 'RequestError', 'NoRespondersError', 'ConnectionError', 'ClosedConnectionError'],
  ...['DrainingConnectionError', 'JetStreamError', 'JetStreamApiError', 'JetStreamStatusError'],
  ...['StreamNotFoundError', 'ConsumerNotFoundError'],
  // What a publish throws when nobody answers for the stream: none of its servers is there just now.
  'JetStreamNotEnabled',
]);

/** Whether an error says something of the bus: it is away, slow, or refuses. Everything else is a mistake in the program. */
export function isBusError(error: unknown): error is Error {
  return error instanceof Error && (busErrors.has(error.name) || busErrors.has(error.constructor.name));
}

/** The number of an error of JetStream; undefined for any other. */
export function apiCode(error: unknown): number | undefined {
  if (!isBusError(error) || !('code' in error)) return undefined;
  return typeof error.code === 'number' ? error.code : undefined;
}

/** The other condition was met first: something else is the last message on the subject. */
export const wrongLastSequence = 10071;
/** There is no such stream. */
export const streamNotFound = 10059;
