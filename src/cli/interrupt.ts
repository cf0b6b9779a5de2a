/** What asks a program to end, and what a terminal sends when it is closed. */
const killSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** How long an interrupted program waits for the process that reads its output, in milliseconds. */
const readWithinMs = 1_000;

/**
 * Does work that a person may interrupt with Ctrl-C. The task is in a session of its own, so the terminal's signal
 * reaches only this process: the work ends, and the task continues. Work may be unable to end, because nothing reads
 * its output. After a second the signal then ends this process, as it ends any program.
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
