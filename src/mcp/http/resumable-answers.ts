import { randomUUID } from 'node:crypto';
import {
  type EventStore,
  type JSONRPCMessage,
  type Server,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server';
import { after } from '../../util/wait.ts';
import { send } from '../report.ts';

/** An answer is kept for this long after it was made, in milliseconds. */
const keptMs = 60_000;

/** How many complete answers it keeps at most; beyond that, it drops the oldest. */
const mostKept = 64;

/** How often a stream that says nothing shows that it lives, in milliseconds. */
const keepAliveMs = 15_000;

/** From this version of the protocol on, clients take an event without data, which gives them an id to come back with. */
const primedSince = '2025-11-25';

const eventHeader = 'last-event-id';

interface Kept {
  readonly session: string;
  readonly server: Server;
  readonly events: Events;
}

/**
 * Answers to calls of protocol 2025-11-25 that a client may take up again when its connection broke: each event of the answer
 * has an id, and a GET that names the last id that arrived gets the rest. The call goes on meanwhile, since a broken connection
 * withdraws nothing in that protocol. That of 2026-07-28 has no such thing.
 */
export class ResumableAnswers {
  /** By the id of the answer. */
  readonly #kept = new Map<string, Kept>();
  /** The ids of those that were made, the oldest first. */
  readonly #made = new Set<string>();

  /** Answers a call by a server that was made for it. */
  async begin(server: Server, request: Request, parsedBody: unknown, session: string): Promise<Response> {
    const id = randomUUID();
    const events = new Events(id, () => this.#wasMade(id));
    const transport = new WebStandardStreamableHTTPServerTransport({ eventStore: events });
    await server.connect(transport);
    this.#kept.set(id, { session, server, events });
    const response = await transport.handleRequest(request, { parsedBody });
    // It was refused: nothing will be answered.
    if (response.status !== 200) this.#drop(id);
    return response;
  }

  /** The rest of an answer, for the client of the session that has called; null: no answer of it is asked for, or none is kept. */
  resume(request: Request, session: string): Response | null {
    if (request.method !== 'GET') return null;
    const eventId = request.headers.get(eventHeader) ?? '';
    const kept = this.#kept.get(answerOf(eventId));
    if (kept?.session !== session || !kept.events.has(eventId)) return null;
    const headers = { 'content-type': 'text/event-stream', 'cache-control': 'no-cache, no-transform' };
    const isPrimed = (request.headers.get('mcp-protocol-version') ?? '') >= primedSince;
    return new Response(kept.events.streamAfter(eventId, isPrimed), { headers });
  }

  /** Lets all of them go. */
  close(): void {
    for (const id of [...this.#kept.keys()]) this.#drop(id);
  }

  #wasMade(id: string): void {
    this.#made.add(id);
    after(keptMs, () => this.#drop(id));
    const [oldest = id] = this.#made;
    if (this.#made.size > mostKept) this.#drop(oldest);
  }

  #drop(id: string): void {
    this.#made.delete(id);
    const kept = this.#kept.get(id);
    this.#kept.delete(id);
    if (kept === undefined) return;
    kept.events.end();
    send('dropping an answer', kept.server.close());
  }
}

/** The events of one answer, in their order. */
class Events implements EventStore {
  readonly #answer: string;
  readonly #onEnd: () => void;
  readonly #messages: JSONRPCMessage[] = [];
  #hasEnded = false;
  readonly #listeners = new Set<() => void>();

  constructor(answer: string, onEnd: () => void) {
    this.#answer = answer;
    this.#onEnd = onEnd;
  }

  async storeEvent(_streamId: string, message: JSONRPCMessage): Promise<string> {
    this.#messages.push(message);
    const isLast = 'result' in message || 'error' in message;
    if (isLast) this.#onEnd();
    this.#changed(isLast);
    return this.#idOf(this.#messages.length - 1);
  }

  /** The SDK asks for nothing: a transport without a session serves no second request. */
  async replayEventsAfter(): Promise<string> {
    throw new Error('expected no replay by the SDK; found one');
  }

  /** No more events come. */
  end(): void {
    this.#changed(true);
  }

  /** Whether there is an event of that id. */
  has(eventId: string): boolean {
    return this.#indexOf(eventId) < this.#messages.length;
  }

  /** The events after that one as a stream, to the end of the answer. */
  streamAfter(eventId: string, isPrimed: boolean): ReadableStream<Uint8Array> {
    let next = this.#indexOf(eventId) + 1;
    const encoder = new TextEncoder();
    let stop = (): void => undefined;
    const start = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
      const write = (text: string): void => controller.enqueue(encoder.encode(text));
      const goOn = (): void => {
        for (; next < this.#messages.length; next += 1) write(this.#eventAt(next));
        if (!this.#hasEnded) return;
        stop();
        controller.close();
      };
      const timer = setInterval(() => write(': keepalive\n\n'), keepAliveMs).unref();
      stop = () => {
        clearInterval(timer);
        this.#listeners.delete(goOn);
      };
      this.#listeners.add(goOn);
      if (isPrimed) write(`id: ${eventId}\ndata: \n\n`);
      goOn();
    };
    return new ReadableStream({ start, cancel: () => stop() });
  }

  #changed(isOver: boolean): void {
    this.#hasEnded ||= isOver;
    for (const listener of [...this.#listeners]) listener();
  }

  #eventAt(index: number): string {
    return `event: message\nid: ${this.#idOf(index)}\ndata: ${JSON.stringify(this.#messages[index])}\n\n`;
  }

  #idOf(index: number): string {
    return `${this.#answer}.${index}`;
  }

  #indexOf(eventId: string): number {
    return Number(eventId.slice(this.#answer.length + 1));
  }
}

function answerOf(eventId: string): string {
  return /^([0-9a-f-]{36})\.\d{1,9}$/.exec(eventId)?.[1] ?? '';
}
