import { signal } from '@preact/signals';
import {
  decodeBytes,
  decodeServerMessage,
  encodePageMessage,
  type Failure,
  type PageMessage,
  protocolName,
  type Request,
  type ServerMessage,
} from '../protocol.ts';
import { type Key, keyOfOthers, meet } from './door.ts';

/** What comes on a channel. */
interface Listener<Data> {
  data?(data: Data): void;
  bytes?(bytes: Uint8Array): void;
  end?(error: Failure | null): void;
}

export interface Channel {
  type(text: string): void;
  resize(cols: number, rows: number): void;
  close(): void;
}

/** The page tells the server how much it has taken: when it is this much, or after this time, in milliseconds. */
const tellTakenAt = 32 * 1024;
const tellTakenMs = 40;

const firstPauseMs = 250;
const longestPauseMs = 5_000;

/** `stranger`: the server there does not know the secret of this page. */
export const linkState = signal<'connecting' | 'live' | 'lost' | 'stranger'>('connecting');

/** Counts connections. After a new one, everything has to be asked for again. */
export const connection = signal(0);

/** What the server says about itself. */
export const served = signal<{ readonly readOnly: boolean; readonly store: string }>({
  readOnly: true,
  store: '',
});

let socket: WebSocket | null = null;
let nextId = 1;
let taken = 0;
let telling: ReturnType<typeof setTimeout> | undefined;
let pauseMs = firstPauseMs;
const channels = new Map<number, Listener<never>>();

/** Counts calls of `connect`. When the reader enters another token, the page starts again. */
let turn = 0;

/**
 * Connects to a server that has proven that it knows the key, and again whenever the connection is lost.
 * @param proof the proof to show the server, if it has just proven itself.
 */
export function connect(key: Key, proof: string | null): void {
  turn += 1;
  if (proof === null) void again(key, turn);
  else begin(key, proof, turn);
}

function begin(key: Key, proof: string, ofTurn: number): void {
  const opened = new WebSocket(`ws://${location.host}/socket`, [protocolName, proof]);
  opened.binaryType = 'arraybuffer';
  opened.onmessage = ({ data }) => receive(data);
  opened.onopen = () => {
    pauseMs = firstPauseMs;
  };
  opened.onclose = () => {
    lost();
    void again(key, ofTurn);
  };
  socket = opened;
}

async function again(key: Key, ofTurn: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, pauseMs));
  pauseMs = Math.min(pauseMs * 2, longestPauseMs);
  const met = await meet(key);
  if (ofTurn !== turn) return;
  if (met !== null && met !== 'stranger') return begin(key, met, ofTurn);
  linkState.value = met ?? 'lost';
  // The right server may come back later, and another page may have been given the token meanwhile.
  await again((met === 'stranger' ? await keyOfOthers() : null) ?? key, ofTurn);
}

/** Opens a channel. If the connection is lost, only its end comes. */
export function open<Data>(request: Request, listener: Listener<Data>): Channel {
  const id = nextId++;
  channels.set(id, listener as Listener<never>);
  send({ type: 'open', id, request });
  return {
    type: (text) => send({ type: 'input', id, text }),
    resize: (cols, rows) => send({ type: 'resize', id, cols, rows }),
    close: () => {
      if (channels.delete(id)) send({ type: 'close', id });
    },
  };
}

/** Asks for one answer. */
export function ask<Data>(request: Request): Promise<Data> {
  return new Promise((resolve, reject) => {
    open<Data>(request, {
      data: resolve,
      end: (error) => reject(new Error(error?.message ?? 'the connection was lost')),
    });
  });
}

function send(message: PageMessage): void {
  if (socket?.readyState === WebSocket.OPEN) socket.send(encodePageMessage(message));
  else if (message.type === 'open') queueMicrotask(() => ended(message.id, disconnected));
}

const disconnected: Failure = { code: 'DISCONNECTED', message: 'the server is not connected' };

function receive(data: string | ArrayBuffer): void {
  if (typeof data === 'string') {
    take(decodeServerMessage(data));
    taken += data.length;
  } else {
    const { id, bytes } = decodeBytes(data);
    channels.get(id)?.bytes?.(bytes);
    taken += data.byteLength;
  }
  if (taken >= tellTakenAt) tellTaken();
  else telling ??= setTimeout(tellTaken, tellTakenMs);
}

function take(message: ServerMessage): void {
  if (message.type === 'data') channels.get(message.id)?.data?.(message.data as never);
  else if (message.type === 'end') ended(message.id, message.error);
  else {
    served.value = { readOnly: message.readOnly, store: message.store };
    linkState.value = 'live';
    connection.value += 1;
  }
}

function tellTaken(): void {
  clearTimeout(telling);
  telling = undefined;
  if (taken > 0) send({ type: 'credit', amount: taken });
  taken = 0;
}

function ended(id: number, error: Failure | null): void {
  const listener = channels.get(id);
  channels.delete(id);
  listener?.end?.(error);
}

function lost(): void {
  taken = 0;
  linkState.value = 'lost';
  for (const id of [...channels.keys()]) ended(id, disconnected);
}
