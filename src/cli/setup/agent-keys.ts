/** The agents that `outlive setup` knows, by the words that it is told, in the order in which they are listed. */
export const agentKeys = ['claude', 'codex', 'gemini', 'opencode', 'pi', 'vscode', 'cursor', 'zed'] as const;

export type AgentKey = (typeof agentKeys)[number];
