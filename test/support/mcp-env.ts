/** The environment of a server in tests: without what would name a session for it. */
export function mcpEnvironment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  const own = /^(?:OUTLIVE_SESSION|OUTLIVE_HOME|CLAUDE_CODE_SESSION_ID|CODEX_THREAD_ID|PI_SESSION_ID)$/;
  const rest = Object.entries(process.env).filter(([name]) => !own.test(name));
  return { ...(Object.fromEntries(rest) as Record<string, string>), ...more };
}
