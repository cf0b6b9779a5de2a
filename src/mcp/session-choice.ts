import { createHash } from 'node:crypto';
import { chosenSession, type SessionTraits } from '../engine/session/conversation.ts';
import { bounds } from '../model/limits.ts';

/** What is known of a client when its session is looked for. */
export interface ClientTraits extends SessionTraits {
  /** The name that the client gives itself. */
  readonly clientName: string | null;
  /** The server's working directory: that of the client's project; null when it was gone. */
  readonly cwd: string | null;
}

/**
 * The session of a client, the same each time that it is started again: the one that is named or that of the conversation,
 * else one for each client program and working directory. See docs/mcp.md.
 * @throws OutliveError `INVALID_ARGUMENT` when `OUTLIVE_SESSION` cannot name a session.
 */
export function chooseSession(traits: ClientTraits): string {
  return chosenSession(traits) ?? fallback(traits.clientName ?? 'client', traits.cwd ?? '');
}

function fallback(clientName: string, cwd: string): string {
  const id = `mcp:${clientName}:${cwd}`.replaceAll('\0', '');
  if (Buffer.byteLength(id) <= bounds.sessionIdBytes) return id;
  return `mcp:${createHash('sha256').update(id).digest('hex')}`;
}
