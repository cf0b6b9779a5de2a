import { main, performedVerb } from '../cli/main.ts';
import { startUiServer } from '../ui/server.ts';

export { performedVerb };

/** Runs the command line with all verbs but `mcp`. */
export function run(words: readonly string[]): Promise<number> {
  return main(words, {
    loadMcp: () =>
      Promise.reject(new Error('expected the program with the MCP servers; found the one without')),
    loadUi: async () => ({ startUiServer }),
  });
}
