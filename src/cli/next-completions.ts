import { Deliveries } from '../api/deliveries.ts';
import type { Store } from '../api/store.ts';
import { isOfAnotherAgent, shellParty } from '../api/whose-shell.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { randomHex } from '../util/crypto.ts';

/** An end that is to be printed. */
export interface NextEnd {
  readonly snapshot: TaskSnapshot;
  /** It was printed before, and nobody knows whether that was read. */
  readonly again: boolean;
}

/**
 * Prints the pending ends once, for a hook of an agent: what one call has printed, the next one acknowledges. Killed in
 * between, it prints that again, and says so.
 * @param print is called when there are some. What it cannot print ends the process, and with it the claims.
 */
export async function printNext(
  store: Store,
  sessionId: string,
  print: (ends: readonly NextEnd[]) => Promise<void>,
): Promise<void> {
  const session = await store.session(sessionId);
  const deliveries = new Deliveries(session);
  const party = shellParty() ?? sessionId;
  const id = randomHex(6);
  const ends: NextEnd[] = [];
  for (const { taskId } of await session.pending()) {
    if (deliveries.wasPrinted(taskId, party)) {
      deliveries.acknowledge(taskId);
      continue;
    }
    if (isOfAnotherAgent(deliveries, deliveries.specOf(taskId))) continue;
    const { result, earlier } = deliveries.claim(taskId, { id, party });
    if (result === 'ours') ends.push({ snapshot: session.task(taskId).snapshot(), again: earlier > 0 });
  }
  if (ends.length === 0) return;
  await print(ends);
  for (const { snapshot } of ends) deliveries.told(snapshot.taskId, id);
}
