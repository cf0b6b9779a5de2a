let holders = 0;
let handle: NodeJS.Timeout | undefined;

/**
 * Keeps the process alive until the returned function is called. An open store does not: a program that has
 * nothing left to do ends, and its tasks go on. But somebody who waits for a task is waiting for something.
 */
export function holdProcess(): () => void {
  holders += 1;
  handle ??= setInterval(() => undefined, 2 ** 31 - 1);
  let held = true;
  return () => {
    if (!held) return;
    held = false;
    holders -= 1;
    if (holders > 0) return;
    clearInterval(handle);
    handle = undefined;
  };
}
