/** Starts a command in the session of the suite, and returns the id of its task. */
export type Start = (command: string) => Promise<string>;

/** Arguments of a tool. */
type Arguments = Readonly<Record<string, unknown>>;

/**
 * The tools that the suite expects from a server under test, as calls of `run`. Tools that make pictures, ask the
 * client for something or change the list of tools are not here: no command can do that. Tools that must answer within
 * half a second are not here either.
 */
const tools: Readonly<Record<string, (args: Arguments) => Arguments>> = {
  test_simple_text: () => ({ command: 'echo This is a simple text response for testing.' }),
  test_error_handling: () => ({ command: 'true', cwd: '/is/not/there' }),
  // Longer than the time until the first progress message.
  test_tool_with_progress: () => ({ command: 'sleep 11', wait_ms: 60_000 }),
  test_reconnection: () => ({ command: 'sleep 0.5; echo reconnected' }),
  greet: ({ name }) => ({ command: 'echo "Hello, $NAME!"', env: { NAME: name } }),
  slow_compute: ({ seconds }) => ({
    command: `sleep ${Number(seconds)}; echo computed`,
    ...(seconds !== 0 && { wait_ms: 0 }),
  }),
  failing_job: () => ({ command: 'sleep 1; exit 3', wait_ms: 0 }),
  protocol_error_job: () => ({ command: 'sleep 1; exit 4', wait_ms: 0 }),
  confirm_delete: ({ filename }) => ({ command: 'echo "$NAME would be deleted"', env: { NAME: filename } }),
};

/** The resources that the suite expects, each as a resource of a task that runs a command. */
const resources: Readonly<Record<string, { readonly command: string; readonly part: string }>> = {
  'test://static-text': { command: 'echo This is the content of the static text resource.', part: '/output' },
  'test://template/123/data': { command: `echo '{"id":"123","templateTest":true}'`, part: '' },
};

/** Maps a request of the suite to one that outlive knows; returns the same request if no fixture matches. */
export async function mapped(request: Readonly<Record<string, unknown>>, start: Start) {
  const params = request.params as Arguments | undefined;
  if (params === undefined) return request;
  const { name, uri } = params;
  if (request.method === 'tools/call' && typeof name === 'string' && Object.hasOwn(tools, name)) {
    const args = tools[name]?.((params.arguments ?? {}) as Arguments);
    return { ...request, params: { ...params, name: 'run', arguments: args } };
  }
  const resource = request.method === 'resources/read' ? resources[String(uri)] : undefined;
  if (resource === undefined) return request;
  const taskId = await start(resource.command);
  return { ...request, params: { ...params, uri: `outlive://tasks/${taskId}${resource.part}` } };
}
