import { number, parseObject, text } from './check.ts';

/** The version of the folder layout that this code writes, and the only one that it reads. */
export const storeVersion = 2;

/** What store.json says. */
export interface StoreRecord {
  readonly version: number;
}

/** What session.json says. */
export interface SessionRecord {
  readonly version: number;
  /** The id in clear; the folder's name only hints at it. */
  readonly sessionId: string;
  readonly createdAt: number;
}

/** store.json as text. */
export function encodeStoreRecord(): string {
  return `${JSON.stringify({ outlive: 'store', version: storeVersion })}\n`;
}

/** Parses store.json; null when it is not ours. */
export function parseStoreRecord(content: string): StoreRecord | null {
  const json = parseObject(content);
  const version = number(json?.version);
  return json?.outlive === 'store' && version !== null ? { version } : null;
}

/** session.json as text. */
export function encodeSessionRecord(sessionId: string, createdAt: number): string {
  return `${JSON.stringify({ outlive: 'session', version: storeVersion, sessionId, createdAt })}\n`;
}

/** Parses session.json; null when it is not ours. */
export function parseSessionRecord(content: string): SessionRecord | null {
  const json = parseObject(content);
  const version = number(json?.version);
  const sessionId = text(json?.sessionId);
  if (json?.outlive !== 'session' || version === null || sessionId === null) return null;
  return { version, sessionId, createdAt: number(json.createdAt) ?? 0 };
}
