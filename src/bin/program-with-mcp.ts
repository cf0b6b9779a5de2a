import { config } from 'zod';
import { main, performedVerb } from '../cli/main.ts';
import { runStdioServer } from '../mcp/stdio.ts';

// To compile a schema takes longer than to go through it for the few messages of a conversation.
config({ jitless: true });

export { performedVerb };

/** Runs the command line with all verbs. */
export function run(words: readonly string[]): Promise<number> {
  return main(words, {
    loadMcp: async () => ({
      runStdioServer,
      // Node's modules for HTTP take as long to load as all of ours, and agents wait for the start of a server on stdio.
      startHttpServer: async (options) => {
        const { startHttpServer } = await import('../mcp/http/server.ts');
        return await startHttpServer(options);
      },
    }),
    loadUi: async () => await import('../ui/server.ts'),
  });
}
