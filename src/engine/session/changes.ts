import { after } from '../../util/wait.ts';
import type { SessionContext } from './context.ts';

/** Calls back whenever something has happened to a task, until the returned function is called. */
export function onChange(context: SessionContext, taskId: string, listener: () => void): () => void {
  const listeners = context.listeners.get(taskId) ?? new Set();
  context.listeners.set(taskId, listeners.add(listener));
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) context.listeners.delete(taskId);
  };
}

/** Resolves when something important has happened to a task, or after this many milliseconds. */
export function nextChange(
  context: SessionContext,
  taskId: string,
  mostMs: number,
  matters: () => boolean,
): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      timer.cancel();
      unlisten();
      resolve();
    };
    const timer = after(mostMs, done);
    const unlisten = onChange(context, taskId, () => matters() && done());
  });
}

/** Wakes those who follow a task. */
export function changed(context: SessionContext, taskId: string): void {
  for (const listener of [...(context.listeners.get(taskId) ?? [])]) listener();
}
