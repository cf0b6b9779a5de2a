import type { Msg, NatsConnection } from '@nats-io/transport-node';
import { OutliveError } from '../../errors/error.ts';
import { sleep } from '../../util/wait.ts';

/** The result of a write. `lost`: another message is the last one on the subject. `unanswered`: nobody knows. */
export type Written =
  | { readonly outcome: 'stored'; readonly seq: number }
  | { readonly outcome: 'lost' | 'unanswered' };

/** A message for a stream. */
export interface Write {
  readonly stream: string;
  readonly subject: string;
  readonly body: unknown;
  /** The server stores a message with this id only once, within its window. */
  readonly id: string;
  /** The sequence number of the last message of the subject, 0 if there is none; `null`: any. */
  readonly after: number | null;
}

/** The object that hears what happens to a connection. */
export interface ConnectionListener {
  /** The connection was broken and is back. */
  readonly reconnected: () => void;
  /** The server refuses to store a message. The write is tried again. */
  readonly refused: (error: OutliveError) => void;
}

/** How long an answer may take, in milliseconds. After that the write is sent again. Its id makes this safe. */
const answerMs = 1_500;

/** Pauses between attempts, in milliseconds; they double. */
const firstPauseMs = 50;
const longestPauseMs = 2_000;

/** Codes of the server: another message is the last one; this message or another one on the subject is being stored. */
const wrongLastSequence = 10_071;
const passing: ReadonlySet<number> = new Set([10_158, 10_164]);

/** The connection of a host. It uses only subjects and their answers, and no other interface of the server. */
export class HostConnection {
  readonly raw: NatsConnection;
  readonly #headers: typeof import('@nats-io/transport-node').headers;
  readonly #listener: ConnectionListener;
  #isConnected = true;

  private constructor(
    raw: NatsConnection,
    headers: typeof import('@nats-io/transport-node').headers,
    listener: ConnectionListener,
  ) {
    this.raw = raw;
    this.#headers = headers;
    this.#listener = listener;
  }

  /** Uses a connection, which the caller closes. */
  static async over(raw: NatsConnection, listener: ConnectionListener): Promise<HostConnection> {
    const { headers } = await import('@nats-io/transport-node');
    const connection = new HostConnection(raw, headers, listener);
    void connection.#watch();
    return connection;
  }

  /** Whether the connection is up. Messages that are published while it is not would be sent all at once later. */
  get isConnected(): boolean {
    return this.#isConnected && !this.raw.isClosed() && !this.raw.isDraining();
  }

  /** Asks, and waits for an answer. @throws an error of the client if no answer comes. */
  async ask(subject: string, body: unknown, timeoutMs: number): Promise<Msg> {
    return await this.raw.request(subject, JSON.stringify(body), { timeout: timeoutMs });
  }

  /**
   * Writes a message under a condition, again and again until the server has answered.
   * @param goesOn returns whether to continue. It is called before each attempt.
   */
  async write(write: Write, goesOn: () => boolean): Promise<Written> {
    for (let pauseMs = firstPauseMs; goesOn(); pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      const answer = this.isConnected ? await this.#send(write) : null;
      if (answer !== null) return answer;
      await sleep(pauseMs);
    }
    return { outcome: 'unanswered' };
  }

  async #send({ stream, subject, body, id, after }: Write): Promise<Written | null> {
    const headers = this.#headers();
    headers.set('Nats-Msg-Id', id);
    headers.set('Nats-Expected-Stream', stream);
    if (after !== null) headers.set('Nats-Expected-Last-Subject-Sequence', String(after));
    let answer: Msg;
    try {
      answer = await this.raw.request(subject, JSON.stringify(body), { timeout: answerMs, headers });
    } catch (error) {
      // There is no answer: the server, the stream or the connection is away.
      if (!isClientError(error)) throw error;
      return null;
    }
    return this.#understand(answer, subject);
  }

  #understand(answer: Msg, subject: string): Written | null {
    const { seq, error } = parseAnswer(answer);
    if (error === undefined && Number.isSafeInteger(seq)) return { outcome: 'stored', seq: Number(seq) };
    const code = Number(error?.err_code);
    if (code === wrongLastSequence) return { outcome: 'lost' };
    if (passing.has(code)) return null;
    const found =
      error === undefined ? 'something that is not an answer' : `error ${code}: ${error.description}`;
    this.#listener.refused(
      new OutliveError(
        'FLEET_UNREACHABLE',
        `expected the server to store a message of ${subject}; found ${found}. The host tries again.`,
      ),
    );
    return null;
  }

  async #watch(): Promise<void> {
    for await (const { type } of this.raw.status()) {
      if (type === 'disconnect' || type === 'staleConnection') this.#isConnected = false;
      if (type !== 'reconnect') continue;
      this.#isConnected = true;
      this.#listener.reconnected();
    }
  }
}

/** Whether an error is one of the NATS client: no answer, nobody who listens, no connection, no permission. */
export function isClientError(error: unknown): boolean {
  const names = ['TimeoutError', 'NoResponders', 'RequestError', 'ClosedConnectionError'];
  const more = ['ConnectionError', 'DrainingConnectionError', 'PermissionViolationError', 'ProtocolError'];
  return error instanceof Error && [...names, ...more].includes(error.name);
}

interface PublishAnswer {
  readonly seq?: unknown;
  readonly error?: { readonly err_code?: unknown; readonly description?: unknown };
}

function parseAnswer(answer: Msg): PublishAnswer {
  try {
    return (JSON.parse(answer.string()) as PublishAnswer | null) ?? {};
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}
