/**
 * Calls `work` when this process exits by itself; when a mistake ends it, before the mistake is printed. May call it twice.
 * @returns takes it back.
 */
export function atExit(work: () => void): () => void {
  process.once('exit', work);
  // Node prints the mistake after `exit`, Bun before.
  process.once('uncaughtExceptionMonitor', work);
  if (process.versions.bun !== undefined) process.on('unhandledRejection', throwAgain);
  return () => {
    process.off('exit', work);
    process.off('uncaughtExceptionMonitor', work);
    process.off('unhandledRejection', throwAgain);
  };
}

/** Bun calls the monitor for what is thrown, and not for a promise that is rejected. */
function throwAgain(reason: unknown): never {
  throw reason;
}
