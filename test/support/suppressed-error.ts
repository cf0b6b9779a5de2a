/**
 * What `using` throws when a test and its end both fail. The runner prints a message and no causes, and the first error is
 * the one that matters.
 */
class BothErrors extends Error {
  constructor(error: unknown, suppressed: unknown) {
    super(`${told(suppressed)}\n\nand when it was over: ${told(error)}`);
    this.name = 'SuppressedError';
  }
}

function told(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

Object.assign(globalThis, { SuppressedError: BothErrors });
