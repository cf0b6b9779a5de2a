import { main, performedVerb } from '../cli/main.ts';

export { performedVerb };

/** Runs the command line. The verbs `mcp` and `ui` need the programs that have the servers: program-with-*.ts. */
export function run(words: readonly string[]): Promise<number> {
  return main(words, {
    loadMcp: () =>
      Promise.reject(new Error('expected the program with the MCP servers; found the one without')),
    loadUi: () => Promise.reject(new Error('expected the program with the dashboard; found the one without')),
  });
}
