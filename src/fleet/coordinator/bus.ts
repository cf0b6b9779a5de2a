import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream';
import type { MsgHdrs, NatsConnection } from '@nats-io/transport-node';
import { loadNats } from '../bus/packages.ts';

/** A connection, and what a coordinator uses on it. */
export interface Bus {
  readonly connection: NatsConnection;
  readonly stream: JetStreamClient;
  readonly manager: JetStreamManager;
  headers(): MsgHdrs;
  /** A new subject for one answer. */
  newInbox(): string;
}

/** How long it waits for an answer of the stream, in milliseconds, before it asks again. */
const answerMs = 2000;

/**
 * Makes a {@link Bus} from a connection.
 * @param inboxPrefix the inbox prefix of the connection.
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
  // A publish throws this when nobody answers for the stream, because none of its servers is up.
  'JetStreamNotEnabled',
]);

/** Whether an error comes from the bus: it is away, slow, or refuses. Every other error is a mistake in the program. */
export function isBusError(error: unknown): error is Error {
  return error instanceof Error && (busErrors.has(error.name) || busErrors.has(error.constructor.name));
}

/** The code of a JetStream error; undefined for any other error. */
export function apiCode(error: unknown): number | undefined {
  if (!isBusError(error) || !('code' in error)) return undefined;
  return typeof error.code === 'number' ? error.code : undefined;
}

/** The condition of a write failed: another message is the last one on the subject. */
export const wrongLastSequence = 10071;
/** There is no such stream. */
export const streamNotFound = 10059;
