import { Deliveries } from '../api/deliveries.ts';
import type { Session } from '../api/session.ts';
import type { Store } from '../api/store.ts';
import { isOfAnotherAgent, shellParty } from '../api/whose-shell.ts';
import type { PendingMatch } from '../engine/watches/session-matches.ts';
import type { Teller } from '../engine/watches/tell-matches.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { randomHex } from '../util/crypto.ts';

/** How many lines one call prints. The next calls print the others. */
const mostLines = 50;

/** An end to print. */
interface NextEnd {
  readonly snapshot: TaskSnapshot;
  /** It was printed before, and outlive cannot know whether that was read. */
  readonly again: boolean;
}

/** A line to print. */
interface NextLine {
  readonly match: PendingMatch;
  readonly again: boolean;
}

/** What to print. */
export interface Next {
  readonly ends: readonly NextEnd[];
  readonly lines: readonly NextLine[];
}

/**
 * Prints the pending ends and lines once, for a hook of an agent: what one call has printed, the next one acknowledges. Killed in
 * between, it prints that again, and says so.
 * @param print is called when there is something. What it cannot print ends the process, and with it the claims.
 */
export async function printNext(
  store: Store,
  sessionId: string,
  print: (next: Next) => Promise<void>,
): Promise<void> {
  const session = await store.session(sessionId);
  const deliveries = new Deliveries(session);
  const teller = { id: randomHex(6), party: shellParty() ?? sessionId };
  const lines = await takeLines(session, deliveries, teller);
  const ends = await takeEnds(session, deliveries, teller);
  if (ends.length + lines.length === 0) return;
  await print({ ends, lines });
  for (const { snapshot } of ends) deliveries.told(snapshot.taskId, teller.id);
  deliveries.toldMatches(
    lines.map(({ match }) => match),
    teller,
  );
}

/** Acknowledges the ends that the call before has printed, and claims the others. */
async function takeEnds(
  session: Session,
  deliveries: Deliveries,
  { id, party }: Teller & { readonly party: string },
): Promise<NextEnd[]> {
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
  return ends;
}

/** The same for lines. To acknowledge one is to acknowledge those of its watch before it, so one that is not printed holds up the others. */
async function takeLines(session: Session, deliveries: Deliveries, teller: Teller): Promise<NextLine[]> {
  const read = new Map<string, PendingMatch>();
  const heldUp = new Set<string>();
  const found: NextLine[] = [];
  for await (const match of session.matches({ wait: false })) {
    if (isOfAnotherAgent(deliveries, deliveries.specOf(match.taskId))) continue;
    const watch = `${match.taskId} ${match.watchId}`;
    const standing = deliveries.standingOf(match, teller);
    if (standing === 'printed' && !heldUp.has(watch)) read.set(watch, match);
    else if (standing !== 'printed') heldUp.add(watch);
    if (standing === 'free' || standing === 'again') found.push({ match, again: standing === 'again' });
    if (found.length >= mostLines) break;
  }
  for (const match of read.values()) await match.ack();
  const ours = deliveries.tellMatches(
    found.map(({ match }) => match),
    teller,
  );
  return found.filter(({ match }) => ours.includes(match));
}
