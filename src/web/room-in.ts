import type { ServerResponse } from 'node:http';

/** Resolves when a response takes more, or its client is gone. */
export function roomIn(response: ServerResponse): Promise<void> {
  // A closed response emits no second event.
  if (response.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const go = (): void => {
      response.off('drain', go).off('close', go);
      resolve();
    };
    response.once('drain', go).once('close', go);
  });
}
