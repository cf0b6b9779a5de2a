import type { ModelMessage, ToolSet } from 'ai';
import type { Session } from '../api/session.ts';
import type { Store } from '../api/store.ts';
import { type SessionToolsOptions, sessionTools, type ToolCallOptions } from '../tools/session-tools.ts';
import { ToldHistory } from '../tools/told-history.ts';
import { loadSdk } from './load-sdk.ts';

/** The tools of a session for the Vercel AI SDK: see {@link aiTools}. */
export interface AiTools {
  /** For `generateText`, `streamText` and agents. */
  readonly tools: ToolSet;
  /** What a model reads about all tools together: for the system prompt. */
  readonly instructions: string;
  /** Gives the model its pending news before each step. */
  readonly prepareStep: (step: {
    readonly messages: ModelMessage[];
  }) => Promise<{ messages: ModelMessage[] }>;
  /**
   * The conversation to be saved. The SDK's own messages lack what `prepareStep` has told.
   * @param messages all that were handed to the SDK, and those that it answered with.
   */
  saved(messages: readonly ModelMessage[]): Promise<ModelMessage[]>;
  /** Resolves with true when there is something to tell: then let the model go on. False: aborted or closed. */
  arrived(options?: ToolCallOptions): Promise<boolean>;
  /** Ends it. The session stays open, and tasks go on. */
  close(): void;
}

/**
 * The tools of a session for the Vercel AI SDK (`ai` 5 to 7). They are for one conversation, in which one call of the
 * SDK runs at a time.
 * @param session the conversation; it stays open when the tools are closed.
 * @throws OutliveError `INVALID_ARGUMENT`, also when `ai` is not installed, and `CLOSED`.
 */
export async function aiTools(
  store: Store,
  session: Session,
  options: SessionToolsOptions = {},
): Promise<AiTools> {
  const { jsonSchema, tool } = await loadSdk('ai', async () => await import('ai'));
  const outlive = await sessionTools(store, session, options);
  const history = new ToldHistory<ModelMessage>({
    write: (content) => ({ role: 'user', content }),
    isModels: ({ role }) => role === 'assistant',
  });
  const tools = outlive.list.map(({ name, description, inputSchema, call }) => {
    const execute = async (
      args: unknown,
      more: { readonly abortSignal?: AbortSignal } = {},
    ): Promise<string> =>
      history.answered(await call(args, more.abortSignal && { abortSignal: more.abortSignal }));
    return [name, tool({ description, inputSchema: jsonSchema(inputSchema), execute })] as const;
  });
  return {
    tools: Object.fromEntries(tools),
    instructions: outlive.instructions,
    prepareStep: async ({ messages }) => ({
      messages: await history.sending(messages, async () => await outlive.pending()),
    }),
    saved: async (messages) => await history.saved(messages),
    arrived: async (more) => await outlive.arrived(more),
    close: () => outlive.close(),
  };
}
