import assert from 'node:assert/strict';
import type { Aftermath } from './aftermath.ts';
import { waitFor } from './world.ts';

const all = ['error 1', 'error 2', 'error 3'];

/** Of the matches of the life `watch` each is pending that was not acknowledged, once a watch was answered for. */
export async function checkMatches({ session, told }: Aftermath): Promise<void> {
  if (told.watched.length === 0) return;
  const pending: string[] = [];
  const stop = new AbortController();
  const taking = (async () => {
    for await (const { text } of session.matches({ abortSignal: stop.signal })) pending.push(text);
  })();
  const rest = all.filter((text) => !told.seen.includes(text));
  await waitFor(
    () => rest.every((text) => pending.includes(text)),
    'the matches that are pending',
    2_000,
  ).catch(() => undefined);
  stop.abort();
  await taking.catch(() => undefined);
  // One whose acknowledgement was not answered may be either.
  assert.deepEqual(pending, rest.slice(rest.length - pending.length), `seen: ${told.seen.join(', ')}`);
  assert.ok(
    pending.length >= rest.length - 1,
    `pending: ${pending.join(', ')}; seen: ${told.seen.join(', ')}`,
  );
}
