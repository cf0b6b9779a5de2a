import { createHash } from 'node:crypto';
import { bounds } from '../model/limits.ts';

/** What is known of a client when its session is looked for. */
export interface ClientTraits {
  /** What the operator said (`--session`), which comes before everything else. */
  readonly named: string | null;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `_meta` of the request. */
  readonly meta: Readonly<Record<string, unknown>> | undefined;
  /** The name that the client gives itself. */
  readonly clientName: string | null;
  /** The server's working directory: that of the client's project. */
  readonly cwd: string;
}

/**
 * The session of a client, the same each time that it is started again: what the operator said, else the id of
 * the client's own conversation, else one for each client program and working directory. See docs/mcp.md.
 */
export function chooseSession(traits: ClientTraits): string {
  const { named, env, meta } = traits;
  const given =
    named ?? usable(env.OUTLIVE_SESSION) ?? conversationIn(meta) ?? usable(env.CLAUDE_CODE_SESSION_ID);
  return given ?? fallback(traits.clientName ?? 'client', traits.cwd);
}

/** The id of the conversation, where the client sends it with its requests. */
function conversationIn(meta: ClientTraits['meta']): string | null {
  if (meta === undefined) return null;
  const turn = meta['x-codex-turn-metadata'];
  const codex: Record<string, unknown> = typeof turn === 'object' && turn !== null ? { ...turn } : {};
  const candidates = [meta.threadId, codex.thread_id, codex.session_id, meta['vscode.conversationId']];
  return candidates.map(usable).find((id) => id !== null) ?? null;
}

function usable(id: unknown): string | null {
  if (typeof id !== 'string' || id === '' || id.includes('\0')) return null;
  return Buffer.byteLength(id) <= bounds.sessionIdBytes ? id : null;
}

function fallback(clientName: string, cwd: string): string {
  const id = `mcp:${clientName.replaceAll('\0', '')}:${cwd}`;
  return usable(id) ?? `mcp:${createHash('sha256').update(id).digest('hex')}`;
}
