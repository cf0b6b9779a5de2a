import { conversationVariables } from '../../engine/session/conversation.ts';
import { OutliveError } from '../../errors/error.ts';

/** The way in which two programs talk. One that knows no other than ours is refused by its name. */
export const protocol = 1;

/** No real request is longer; the longest command has 16 MiB. */
const mostBytes = 32 * 1024 * 1024;

/** What an asker's terminal is like, for those of its streams that are one. */
export interface AskersTerminal {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly columns: number;
  readonly rows: number;
}

/** What one machine asks of the other. */
export interface RemoteRequest {
  readonly protocol: number;
  /** The asker's, for messages. */
  readonly version: string;
  /** The verb, and what follows it. */
  readonly words: readonly string[];
  /** `data`: what follows this request is the stdin of the verb. `held`: it is open for as long as somebody listens. */
  readonly stdin: 'data' | 'held';
  /** The terminal is that of ssh itself, so there is nothing to tell of one. */
  readonly terminal: AskersTerminal | null;
  readonly colours: boolean;
  /** The variables that name the session and the conversation of the caller. It passes on no others. */
  readonly names: Readonly<Record<string, string>>;
  /** What is printed goes to an agent. */
  readonly intoAgent: boolean;
  /** Words in front of the verb by which hints reach this machine. */
  readonly prefix: readonly string[];
}

/** The variables that it passes on. */
export const handedOn: readonly string[] = ['OUTLIVE_SESSION', ...conversationVariables];

/** A request as bytes: its length as a line, and JSON. */
export function encodeRequest(request: RemoteRequest): Buffer {
  const body = Buffer.from(JSON.stringify(request));
  return Buffer.concat([Buffer.from(`${body.length}\n`), body]);
}

/** The same as a word that no shell changes. */
export function requestWord(request: RemoteRequest): string {
  return Buffer.from(JSON.stringify(request)).toString('base64url');
}

/** @throws OutliveError `USAGE` for what is no request. */
export function requestOfWord(word: string): RemoteRequest {
  return checked(Buffer.from(word, 'base64url'));
}

/**
 * Reads a request, and not a byte more: the rest is for the verb.
 * @param read reads exactly this many bytes; fewer at the end of the input.
 * @throws OutliveError `USAGE` for what is no request.
 */
export function readRequest(read: (count: number) => Buffer): RemoteRequest {
  let length = '';
  for (;;) {
    const byte = read(1).toString('latin1');
    if (byte === '\n') break;
    if (!/^\d$/.test(byte) || length.length > 9) noRequest();
    length += byte;
  }
  if (length === '' || Number(length) > mostBytes) noRequest();
  const body = read(Number(length));
  if (body.length < Number(length)) noRequest();
  return checked(body);
}

function checked(body: Buffer): RemoteRequest {
  const request = parsed(body);
  const { words, names, prefix } = request as Partial<RemoteRequest>;
  const areTexts = (list: unknown): boolean =>
    Array.isArray(list) && list.every((word) => typeof word === 'string');
  if (typeof request.protocol !== 'number' || typeof request.version !== 'string') noRequest();
  // What another protocol has in it is not ours to judge.
  if (request.protocol !== protocol) return request as unknown as RemoteRequest;
  const areNames = typeof names === 'object' && names !== null && areTexts(Object.values(names));
  if (!areTexts(words) || !areTexts(prefix) || !areNames) noRequest();
  return request as unknown as RemoteRequest;
}

function parsed(body: Buffer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body.toString());
    if (typeof value === 'object' && value !== null) return { ...value };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return noRequest();
}

function noRequest(): never {
  throw new OutliveError(
    'USAGE',
    'expected a request from an outlive on another machine; found something else. This verb is for outlive itself: use outlive --host',
  );
}
