import { bounds } from '../../model/limits.ts';
import { setLast } from '../../platform/linux/set-last.ts';
import { checkText, checkVariable, isWhole } from './validate.ts';

/** The variables in which agents give the id of a conversation to the shells and servers that they start for it. */
export const conversationVariables = ['CLAUDE_CODE_SESSION_ID', 'CODEX_THREAD_ID', 'PI_SESSION_ID'] as const;

/** What tells which conversation a process, or a request to it, belongs to. */
export interface ConversationTraits {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `_meta` of an MCP request. One server may serve several conversations, so it comes before the environment. */
  readonly meta?: Readonly<Record<string, unknown>> | undefined;
}

/** What tells which session is meant. */
export interface SessionTraits extends ConversationTraits {
  /** What the caller said (`--session`). It comes before everything else. */
  readonly named: string | null | undefined;
}

/**
 * The session that is meant, on the command line and over MCP: the one that was named, else `$OUTLIVE_SESSION`, else that
 * of the conversation. Null when none of them is there.
 * @throws OutliveError `INVALID_ARGUMENT` when `OUTLIVE_SESSION` cannot name a session.
 */
export function chosenSession({ named, env, meta }: SessionTraits): string | null {
  return named ?? sessionVariable(env.OUTLIVE_SESSION) ?? conversationOf({ env, meta });
}

/**
 * The id of the conversation that a process or request belongs to, as the agent gives it; null when it gives none. An id
 * that cannot name a session is passed over.
 */
export function conversationOf({ env, meta }: ConversationTraits): string | null {
  return conversationInRequest(meta) ?? conversationOfShell(env);
}

function sessionVariable(value: string | undefined): string | null {
  const said = checkVariable('OUTLIVE_SESSION', value);
  return said ? checkText('OUTLIVE_SESSION', said, bounds.sessionIdBytes) : null;
}

function conversationInRequest(meta: ConversationTraits['meta']): string | null {
  if (meta === undefined) return null;
  const turn = meta['x-codex-turn-metadata'];
  const codex: Record<string, unknown> = typeof turn === 'object' && turn !== null ? { ...turn } : {};
  const candidates = [meta.threadId, codex.thread_id, codex.session_id, meta['vscode.conversationId']];
  return candidates.map(usable).find((id) => id !== null) ?? null;
}

/** The variable that names the conversation of a shell, and its value; null when none does. */
export function conversationVariable(env: ConversationTraits['env']): readonly [string, string] | null {
  const name = nameIn(env);
  const value = usable(env[name]);
  return value === null ? null : [name, value];
}

function conversationOfShell(env: ConversationTraits['env']): string | null {
  return usable(env[nameIn(env)]);
}

/** An agent that runs in the shell of another one has the variables of both: the inner one has set its own last. */
function nameIn(env: ConversationTraits['env']): string {
  const given = conversationVariables.filter((name) => usable(env[name]) !== null);
  const inner =
    given.length > 1 && env === process.env && process.platform === 'linux' ? setLast(given) : null;
  return inner ?? given[0] ?? '';
}

function usable(id: unknown): string | null {
  if (typeof id !== 'string' || id === '' || /[\0\uFFFD]/.test(id) || !isWhole(id)) return null;
  return Buffer.byteLength(id) <= bounds.sessionIdBytes ? id : null;
}
