/** The environment of a server in tests: without what would name a session for it. */
export function mcpEnvironment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  const { OUTLIVE_SESSION: _, CLAUDE_CODE_SESSION_ID: __, OUTLIVE_HOME: ___, ...rest } = process.env;
  return { ...(rest as Record<string, string>), ...more };
}
