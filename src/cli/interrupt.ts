/** What asks a program to end, and what a terminal sends when it is closed. */
const killSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Does work that somebody may interrupt by Ctrl-C. The task is in a session of its own, so the terminal's
 * signal reaches only us: the work ends, and the task goes on.
 */
export async function untilInterrupted<T>(work: (interrupted: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const interrupt = (): void => controller.abort();
  for (const killSignal of killSignals) process.once(killSignal, interrupt);
  try {
    return await work(controller.signal);
  } finally {
    for (const killSignal of killSignals) process.removeListener(killSignal, interrupt);
  }
}
