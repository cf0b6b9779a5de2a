/** What asks a program to end, and what a terminal sends when it is closed. */
const killSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** So long an interrupted program waits for the process that reads what it has written, in milliseconds. */
const readWithinMs = 1_000;

/**
 * Does work that somebody may interrupt by Ctrl-C. The task is in a session of its own, so the terminal's
 * signal reaches only us: the work ends, and the task goes on. Work that cannot end, because nobody reads what it
 * writes, keeps nobody: after a second the signal does what it does to any program.
 */
export async function untilInterrupted<T>(work: (interrupted: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let patience: NodeJS.Timeout | undefined;
  const interrupt = (killSignal: NodeJS.Signals): void => {
    controller.abort();
    patience ??= setInterval(() => {
      if (process.stdout.writableLength + process.stderr.writableLength === 0) return;
      for (const name of killSignals) process.removeListener(name, interrupt);
      process.kill(process.pid, killSignal);
    }, readWithinMs).unref();
  };
  for (const killSignal of killSignals) process.once(killSignal, interrupt);
  try {
    return await work(controller.signal);
  } finally {
    clearInterval(patience);
    for (const killSignal of killSignals) process.removeListener(killSignal, interrupt);
  }
}
