import { randomUUID } from 'node:crypto';
import type { McpSdkServerConfigWithInstance, SDKUserMessage } from '@anthropic-ai/claude-agent-sdk';
import * as z from 'zod/mini';
import type { Session } from '../api/session.ts';
import type { Store } from '../api/store.ts';
import { OutliveError } from '../errors/error.ts';
import { Reading } from '../tools/reading.ts';
import { type SessionTools, type SessionToolsOptions, sessionTools } from '../tools/session-tools.ts';
import type { Told } from '../tools/told.ts';
import { loadSdk } from './load-sdk.ts';

/** The tools of a session for the Claude Agent SDK: see {@link claudeTools}. */
export interface ClaudeTools {
  /** For the options of `query()`. */
  readonly options: {
    readonly mcpServers: { readonly outlive: McpSdkServerConfigWithInstance };
    readonly allowedTools: string[];
    readonly extraArgs: Record<string, string | null>;
  };
  /**
   * The prompt of `query()`: the messages of the user, and between them the news for the agent, which wakes an idle
   * agent. It ends when the messages of the user end.
   */
  prompt(messages: AsyncIterable<SDKUserMessage>): AsyncGenerator<SDKUserMessage, void, undefined>;
  /** The messages of `query()`, as they are. They show what the model has had, which is acknowledged. */
  follow<Message>(messages: AsyncIterable<Message>): AsyncGenerator<Message, void, undefined>;
  /** Ends it. The session stays open, and tasks go on. */
  close(): void;
}

/** The name of the server: the model knows the tools as `mcp__outlive__run` and so on. */
const serverName = 'outlive';

/**
 * The tools of a session for the Claude Agent SDK. For one conversation.
 * @param session the conversation; it stays open when the tools are closed.
 * @throws OutliveError `INVALID_ARGUMENT`, also when `@anthropic-ai/claude-agent-sdk` is not installed, and `CLOSED`.
 */
export async function claudeTools(
  store: Store,
  session: Session,
  options: SessionToolsOptions = {},
): Promise<ClaudeTools> {
  const name = '@anthropic-ai/claude-agent-sdk';
  const { createSdkMcpServer } = await loadSdk(
    name,
    async () => await import('@anthropic-ai/claude-agent-sdk'),
  );
  const tools = await sessionTools(store, session, options);
  const reading = new Reading();
  const { instructions } = tools;
  const server = createSdkMcpServer({ name: serverName, instructions, alwaysLoad: true });
  serve(server.instance.server, tools, reading);
  return {
    options: {
      mcpServers: { outlive: server },
      allowedTools: tools.list.map((tool) => `mcp__${serverName}__${tool.name}`),
      // What was sent comes back when the agent takes it up.
      extraArgs: { 'replay-user-messages': null },
    },
    prompt: (messages) => promptOf(messages, tools, reading),
    follow: (messages) => follow(messages, reading),
    close: () => tools.close(),
  };
}

/** The server of the SDK, as far as it is used here. */
interface LowServer {
  registerCapabilities(capabilities: object): void;
  setRequestHandler(
    schema: unknown,
    handler: (request: Called, extra: { readonly signal?: AbortSignal }) => unknown,
  ): void;
}

interface Called {
  readonly params?: { readonly name?: unknown; readonly arguments?: unknown };
}

/** The tools with their own schemas and their own checks: the SDK knows schemas of zod alone, and drops what they do not name. */
function serve(server: LowServer, { list }: SessionTools, reading: Reading): void {
  server.registerCapabilities({ tools: {} });
  server.setRequestHandler(requestOf('tools/list'), () => ({
    tools: list.map(({ name, title, description, inputSchema, annotations, isAlwaysLoaded }) => ({
      ...{ name, title, description, inputSchema, annotations },
      ...(isAlwaysLoaded && { _meta: { 'anthropic/alwaysLoad': true } }),
    })),
  }));
  server.setRequestHandler(requestOf('tools/call'), async ({ params }, { signal }) => {
    const tool = list.find(({ name }) => name === params?.name);
    if (tool === undefined) {
      const names = list.map(({ name }) => name).join(', ');
      throw new OutliveError(
        'INVALID_ARGUMENT',
        `expected the name of a tool, one of ${names}; found another one.`,
      );
    }
    const told = await tool.call(params?.arguments, signal && { abortSignal: signal });
    reading.add(told);
    return { content: [{ type: 'text', text: told.text }], isError: told.isError };
  });
}

function requestOf(method: string): unknown {
  // The SDK looks there for the name, where only the large zod has it.
  const literal = Object.assign(z.literal(method), { value: method });
  return z.object({ method: literal, params: z.optional(z.any()) });
}

async function* promptOf(
  messages: AsyncIterable<SDKUserMessage>,
  tools: SessionTools,
  reading: Reading,
): AsyncGenerator<SDKUserMessage, void, undefined> {
  const users = messages[Symbol.asyncIterator]();
  let next = users.next();
  let mayArrive = true;
  try {
    while (true) {
      const stop = new AbortController();
      const arrived: Promise<boolean>[] = mayArrive ? [tools.arrived({ abortSignal: stop.signal })] : [];
      const found: boolean | IteratorResult<SDKUserMessage> = await Promise.race([next, ...arrived]).finally(
        () => stop.abort(),
      );
      if (typeof found === 'boolean') {
        mayArrive = found;
        const told = found ? await tools.pending() : null;
        if (told === null) continue;
        reading.add(told);
        yield asMessage(told);
      } else if (found.done === true) return;
      else {
        yield found.value;
        next = users.next();
      }
    }
  } finally {
    await users.return?.();
  }
}

function asMessage({ text }: Told): SDKUserMessage {
  const message = { role: 'user' as const, content: text };
  return { type: 'user', message, parent_tool_use_id: null, uuid: randomUUID() } as SDKUserMessage;
}

/** A message of `query()`, as far as it is used here. */
interface Seen {
  readonly type?: string;
  readonly message?: { readonly id?: string };
  readonly parent_tool_use_id?: string | null;
  /** Of what the model said: it is no answer of the model's. */
  readonly error?: unknown;
}

async function* follow<Message>(
  messages: AsyncIterable<Message>,
  reading: Reading,
): AsyncGenerator<Message, void, undefined> {
  // Of subagents it is only known that they have read everything when the turn is over.
  let ofSubagents: Seen[] = [];
  let latest: string | undefined;
  for await (const message of messages) {
    const seen = message as Seen;
    const isOfSubagent = (seen.parent_tool_use_id ?? null) !== null;
    if (seen.type === 'user' && isOfSubagent) ofSubagents.push(seen);
    else if (seen.type === 'user') reading.saw(seen.message);
    else if (seen.type === 'assistant' && !isOfSubagent && seen.error === undefined) {
      // An answer comes in parts, and calls of the first may have their results before the last is there.
      if (seen.message?.id !== latest) await reading.answered();
      latest = seen.message?.id;
    } else if (seen.type === 'result') {
      for (const one of ofSubagents) reading.saw(one.message);
      ofSubagents = [];
    }
    yield message;
  }
}
