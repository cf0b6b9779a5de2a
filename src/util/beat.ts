/** In milliseconds. */
const beatMs = 1_000;

const callbacks = new Set<() => void>();
let timer: NodeJS.Timeout | undefined;

/**
 * Calls back once a second until the returned function is called. All callbacks have one timer: a process with hundreds
 * of sessions that have nothing to do wakes up once a second, and not hundreds of times. It keeps no process alive.
 */
export function onBeat(callback: () => void): () => void {
  callbacks.add(callback);
  timer ??= setInterval(() => {
    for (const one of callbacks) one();
  }, beatMs).unref();
  return () => {
    callbacks.delete(callback);
    if (callbacks.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}
