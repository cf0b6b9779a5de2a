// What the adapters use of the SDKs of hosts. These are optional peers, and none of them is installed here: together they take
// 1 GB, and some need another Node. npm run test:agents runs the examples with the real ones.

declare module 'ai' {
  export interface ModelMessage {
    role: 'system' | 'user' | 'assistant' | 'tool';
    // biome-ignore lint/suspicious/noExplicitAny: a union of many types there
    content: any;
  }
  // biome-ignore lint/suspicious/noExplicitAny: as there
  export type ToolSet = Record<string, any>;
  export function jsonSchema(schema: object): unknown;
  export function tool(definition: object): unknown;
}

declare module '@openai/agents' {
  // biome-ignore lint/suspicious/noExplicitAny: a union of many types there
  export type AgentInputItem = any;
  export interface FunctionTool {
    readonly type: 'function';
    readonly name: string;
  }
  export function tool(definition: object): FunctionTool;
}

declare module '@anthropic-ai/claude-agent-sdk' {
  export interface SDKUserMessage {
    type: 'user';
    message: { role: 'user'; content: unknown };
    parent_tool_use_id: string | null;
  }
  export interface McpSdkServerConfigWithInstance {
    type: 'sdk';
    name: string;
    // biome-ignore lint/suspicious/noExplicitAny: the server of another SDK
    instance: any;
  }
  export function createSdkMcpServer(options: {
    name: string;
    version?: string;
    instructions?: string;
    alwaysLoad?: boolean;
  }): McpSdkServerConfigWithInstance;
}

declare module '@earendil-works/pi-coding-agent' {
  export interface ExtensionContext {
    cwd: string;
    sessionManager: { getSessionId(): string };
  }
  export interface ExtensionAPI {
    // biome-ignore lint/suspicious/noExplicitAny: one of many events
    on(event: string, handler: (event: any, ctx: ExtensionContext) => unknown): void;
    registerTool(tool: object): void;
    sendMessage(message: object, options: object): void;
  }
}
