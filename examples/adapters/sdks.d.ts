// What the examples use of the SDKs, which are not installed here: see src/adapters/sdks.d.ts.

declare module 'ai' {
  export function generateText(
    options: object,
  ): Promise<{ readonly text: string; readonly responseMessages: ModelMessage[] }>;
  export function isStepCount(count: number): unknown;
}

declare module '@ai-sdk/openai' {
  export function createOpenAI(options: { readonly baseURL?: string }): { chat(model: string): unknown };
}

declare module '@openai/agents' {
  export class Agent {
    constructor(options: object);
  }
  export function run(
    agent: Agent,
    input: AgentInputItem[],
    options: object,
  ): Promise<{ readonly history: AgentInputItem[]; readonly finalOutput?: string }>;
}

declare module '@anthropic-ai/claude-agent-sdk' {
  type SDKMessage =
    | { readonly type: 'result'; readonly subtype: 'success'; readonly result: string }
    | { readonly type: 'result'; readonly subtype: 'error_during_execution' }
    | { readonly type: 'assistant' };
  export function query(request: {
    readonly prompt: AsyncIterable<SDKUserMessage>;
    readonly options: object;
  }): AsyncIterable<SDKMessage>;
}
