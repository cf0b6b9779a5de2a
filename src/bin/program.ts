import { main, performedVerb } from '../cli/main.ts';

export { performedVerb };

/**
 * Runs the command line with all verbs but `mcp`, `ui`, `top` and `setup`, which program-with-*.ts have; what is asked of a fleet is in a
 * bundle of this file of its own.
 */
export function run(words: readonly string[]): Promise<number> {
  return main(words, {
    loadMcp: () =>
      Promise.reject(new Error('expected the program with the MCP servers; found the one without')),
    loadUi: () => Promise.reject(new Error('expected the program with the dashboard; found the one without')),
  });
}
