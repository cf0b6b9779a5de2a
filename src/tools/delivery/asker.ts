import { conversationOf } from '../../engine/session/conversation.ts';
import { bounds } from '../../model/limits.ts';
import type { Starter } from '../../model/starter.ts';
import type { Asker } from './hearers.ts';

/** What the `_meta` of a request says. */
export type Meta = Readonly<Record<string, unknown>>;

/** The keys that name a subagent: our own, which any client may send, and that of Claude Code. */
const callerKeys = ['outlive/caller', 'claudecode/agentId'];

/** The key under which a client lists the tasks whose ends it has received. */
const receivedKey = 'outlive/received';

/** The most ids that count in one request. */
const mostReceived = 1_000;

/** The subagent that makes a request; null: the main agent, or the client does not say. */
export function callerIn(meta: Meta): string | null {
  const names = callerKeys.map((key) => meta[key]);
  const isName = (name: unknown): name is string =>
    typeof name === 'string' && name !== '' && Buffer.byteLength(name) <= bounds.nameBytes;
  return names.find(isName) ?? null;
}

/** Names the client that makes a request, among those that share a connection. Its next call shows what it has read. */
export function hearerIn(meta: Meta): string | null {
  const [conversation, caller] = [conversationOf({ env: {}, meta }), callerIn(meta)];
  return conversation === null && caller === null ? null : JSON.stringify([conversation, caller]);
}

/** The ids of the tasks whose ends a client says it has received. */
export function receivedIn(meta: Meta): string[] {
  const ids = meta[receivedKey];
  if (!Array.isArray(ids)) return [];
  return ids.slice(0, mostReceived).filter((id): id is string => typeof id === 'string');
}

/** What the record of a task says about who started it. */
export function starterOf({ party, caller, client }: Asker, cwd: string | null): Starter {
  const isShort = cwd !== null && Buffer.byteLength(cwd) <= bounds.sessionIdBytes;
  return {
    ...(party !== null && { party }),
    ...(caller !== null && { caller }),
    client: { pid: client.pid, start: client.start },
    ...(isShort && { cwd }),
  };
}
