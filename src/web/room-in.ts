import type { ServerResponse } from 'node:http';

/** Resolves when a response takes more, or its client is gone. */
export function roomIn(response: ServerResponse): Promise<void> {
  // One that is closed tells of that no second time.
  if (response.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const go = (): void => {
      response.off('drain', go).off('close', go);
      resolve();
    };
    response.once('drain', go).once('close', go);
  });
}
