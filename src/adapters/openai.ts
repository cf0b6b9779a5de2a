import type { AgentInputItem, FunctionTool } from '@openai/agents';
import type { Session } from '../api/session.ts';
import type { Store } from '../api/store.ts';
import { type SessionToolsOptions, sessionTools, type ToolCallOptions } from '../tools/session-tools.ts';
import { ToldHistory } from '../tools/told-history.ts';
import { loadSdk } from './load-sdk.ts';

/** What the SDK is about to send to the model. */
interface ModelData {
  readonly input: AgentInputItem[];
  readonly instructions?: string;
}

/** The tools of a session for the OpenAI Agents SDK: see {@link openAiTools}. */
export interface OpenAiTools {
  /** For an `Agent`. */
  readonly tools: FunctionTool[];
  /** What a model reads about all tools together: for the instructions of the agent. */
  readonly instructions: string;
  /** For `run()` or a `Runner`: gives the model its pending news before each request. */
  readonly callModelInputFilter: (call: { readonly modelData: ModelData }) => Promise<ModelData>;
  /**
   * The conversation to be saved. `result.history` lacks what the filter has told.
   * @param items `result.history`.
   */
  saved(items: readonly AgentInputItem[]): Promise<AgentInputItem[]>;
  /** Resolves with true when there is something to tell: then let the agent run. False: aborted or closed. */
  arrived(options?: ToolCallOptions): Promise<boolean>;
  /** Ends it. The session stays open, and tasks go on. */
  close(): void;
}

/**
 * The tools of a session for the OpenAI Agents SDK. They are for one conversation, in which one run is active at a
 * time.
 * @param session the conversation; it stays open when the tools are closed.
 * @throws OutliveError `INVALID_ARGUMENT`, also when `@openai/agents` is not installed, and `CLOSED`.
 */
export async function openAiTools(
  store: Store,
  session: Session,
  options: SessionToolsOptions = {},
): Promise<OpenAiTools> {
  const { tool } = await loadSdk('@openai/agents', async () => await import('@openai/agents'));
  const outlive = await sessionTools(store, session, options);
  const history = new ToldHistory<AgentInputItem>({
    write: (text) => ({ type: 'message', role: 'user', content: [{ type: 'input_text', text }] }),
    isModels: isOfModel,
  });
  const tools = outlive.list.map(({ name, description, inputSchema: parameters, call }) => {
    const execute = async (
      args: unknown,
      _context: unknown,
      details?: { readonly signal?: AbortSignal },
    ): Promise<string> =>
      history.answered(await call(args, details?.signal && { abortSignal: details.signal }));
    return tool({ name, description, parameters, strict: false, execute });
  });
  return {
    tools,
    instructions: outlive.instructions,
    callModelInputFilter: async ({ modelData }) => ({
      ...modelData,
      input: await history.sending(modelData.input, async () => await outlive.pending()),
    }),
    saved: async (items) => await history.saved(items),
    arrived: async (more) => await outlive.arrived(more),
    close: () => outlive.close(),
  };
}

/** What the model writes: words, thoughts and calls, but not the results of calls. */
function isOfModel({ type = 'message', role }: { readonly type?: string; readonly role?: string }): boolean {
  if (type === 'message') return role === 'assistant';
  return type === 'reasoning' || type.endsWith('_call');
}
