import { Deliveries } from '../api/deliveries.ts';
import type { Store } from '../api/store.ts';
import { isOfAnotherAgent } from '../api/whose-shell.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import type { Io } from './io.ts';
import { type CommonOptions, isOwn } from './open.ts';

/**
 * Acknowledges an end that was printed, if it is this command's to acknowledge: of its own session, and not of an agent that
 * lives and is told itself.
 */
export async function acknowledgePrinted(
  io: Io,
  store: Store,
  snapshot: TaskSnapshot,
  options: CommonOptions,
): Promise<void> {
  if (snapshot.delivered || !isOwn(snapshot, options)) return;
  const session = await store.session(snapshot.sessionId);
  const deliveries = new Deliveries(session);
  if (isOfAnotherAgent(deliveries, deliveries.specOf(snapshot.taskId))) return;
  await io.arrived();
  await session.task(snapshot.taskId).ack();
}
