// What `npm run test:agents` installs: the agents, and the conformance suite of MCP. An update of a version is a run with
// --write, which renews the tables of docs/agents.md and docs/mcp.md.

/** By the key that the tests know them by. */
export const agents = [
  { key: 'claude-code', name: 'Claude Code', package: '@anthropic-ai/claude-code', version: '2.1.332' },
  { key: 'codex', name: 'Codex', package: '@openai/codex', version: '0.171.0' },
  { key: 'gemini-cli', name: 'Gemini CLI', package: '@google/gemini-cli', version: '0.61.0' },
  { key: 'opencode', name: 'opencode', package: 'opencode-ai', version: '1.18.33' },
  { key: 'pi', name: 'pi', package: '@earendil-works/pi-coding-agent', version: '1.6.0' },
];

/** Plays a client of the server that needs no agent. */
export const suite = {
  key: 'conformance',
  name: 'the conformance suite of MCP',
  package: '@modelcontextprotocol/conformance',
  version: '0.2.0-alpha.12',
};

// Hosts for which outlive has adapters: a test runs an example in each. The Claude Agent SDK runs the program of Claude Code. Of
// the Vercel AI SDK there are all versions that the range of the peer has; the older ones are not in the short run.
export const hosts = [
  {
    key: 'ai-sdk',
    name: 'Vercel AI SDK',
    package: 'ai',
    version: '7.0.173',
    with: ['@ai-sdk/openai@4.0.118', 'zod@4.2.0'],
  },
  {
    key: 'ai-sdk-6',
    name: 'Vercel AI SDK 6',
    package: 'ai',
    version: '6.0.326',
    with: ['@ai-sdk/openai@3.0.141', 'zod@4.2.0'],
    isOlder: true,
  },
  {
    key: 'ai-sdk-5',
    name: 'Vercel AI SDK 5',
    package: 'ai',
    version: '5.0.277',
    with: ['@ai-sdk/openai@2.0.131', 'zod@4.2.0'],
    isOlder: true,
  },
  {
    key: 'openai-agents',
    name: 'OpenAI Agents SDK',
    package: '@openai/agents',
    version: '0.20.0',
    with: ['zod@4.2.0'],
  },
  {
    key: 'claude-agent-sdk',
    name: 'Claude Agent SDK',
    package: '@anthropic-ai/claude-agent-sdk',
    version: '0.3.332',
    with: ['--omit=optional'],
  },
];
