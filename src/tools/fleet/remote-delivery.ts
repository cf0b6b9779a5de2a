import { isFinal, type RemoteTask } from '../../fleet/wire/operations.ts';
import type { ProcessIdentity } from '../../model/words.ts';
import { type Now, now } from '../../platform/clock.ts';
import type { Request } from '../delivery/connection.ts';
import { Hearers } from '../delivery/hearers.ts';
import { type Ends, Ledger, type Telling } from '../delivery/ledger.ts';
import type { Outcome, Way } from '../delivery/receipts.ts';
import { oneLine } from '../text/data.ts';
import { sayAgain, sayRemindersIn } from '../text/say-ends.ts';
import type { AgentFleet } from './agent-fleet.ts';
import type { FleetLink } from './fleet-link.ts';
import { fleetSessionOf } from './fleet-session.ts';
import { RemoteSession, referenceOf } from './remote-session.ts';
import { sayRemote } from './remote-text.ts';
import { hashedAsker, requestIdOf, requestIdOfKey, startOfRequest } from './request-id.ts';

/** The first answer to a client waits for the fleet no longer than this, in milliseconds. */
const firstMs = 1_000;

/** How many told ends it remembers. */
const mostTold = 1_000;

/** What an answer also carries about tasks on other hosts. */
export interface RemoteRiding {
  readonly found: readonly RemoteTask[];
  /** How many more the next answers tell. */
  readonly left: number;
  /** Lines about what is told again, reminders, and that the fleet cannot be asked. */
  readonly notes: readonly string[];
  readonly outcomes: readonly Outcome[];
}

/** How a tool uses the fleet on behalf of its caller. */
export interface RemoteCalls {
  /** The session of the caller in the fleet. */
  readonly session: string;
  /** @throws OutliveError as `openFleet`. */
  fleet(): Promise<AgentFleet>;
  /**
   * The id of the request for a new task. @param key the key of a task that must exist only once; undefined if it has
   * none.
   */
  requestId(key: string | undefined): string;
  /** Whether the caller must hear of the end of a task of this session. */
  mayHear(task: RemoteTask): boolean;
  /** A pending end for the caller; null if there is none. */
  untold(): RemoteTask | null;
}

interface RemoteEnds extends Ends {
  find(reference: string): RemoteTask | null;
}

/**
 * What one client was told of the ends of its tasks on other hosts. The rules are those of local ends: who is told, and
 * when an end counts as read. Only an end that was read is acknowledged in the fleet.
 */
export class RemoteDelivery {
  readonly #link: FleetLink;
  readonly #ledger: Ledger<RemoteEnds>;
  readonly #hearers: Hearers;
  readonly #sessions = new Map<string, RemoteSession>();
  readonly #listeners = new Set<(session: RemoteSession) => void>();
  /** The last ends that answers have told. After a late cancel one is told again, although it was acknowledged. */
  readonly #told = new Map<string, RemoteTask>();
  /** Ends whose answer was lost. */
  readonly #lost = new Set<string>();
  #last: Request | null = null;
  /** Whether an answer has said that the fleet cannot be asked. */
  #saidTrouble = false;

  /** @param clock for tests. */
  constructor(link: FleetLink, way: Way, clock: () => Now = now) {
    this.#link = link;
    this.#ledger = new Ledger(way);
    this.#hearers = new Hearers((identity) => this.#mayLive(identity), clock);
  }

  /** Calls back with each session that this client comes to use, until the returned function is called. */
  onSession(listener: (session: RemoteSession) => void): () => void {
    this.#listeners.add(listener);
    for (const session of this.#sessions.values()) listener(session);
    return () => this.#listeners.delete(listener);
  }

  /** Notes that a tool is called, and asks the fleet for news. */
  called(request: Request): void {
    this.#last = request;
    this.#hearers.called(hashedAsker(request), []);
    this.sessionOf(request).look();
  }

  /** The session of a request in the fleet. */
  sessionOf({ clientSession, client }: Request): RemoteSession {
    const id = fleetSessionOf(clientSession.session.id, client);
    const known = this.#sessions.get(id);
    if (known !== undefined) return known;
    const session = new RemoteSession(this.#link, id);
    this.#sessions.set(id, session);
    for (const listener of this.#listeners) listener(session);
    return session;
  }

  /** What a tool can do with the fleet on behalf of a request. */
  callsOf(request: Request): RemoteCalls {
    const session = this.sessionOf(request);
    return {
      session: session.id,
      fleet: async () => await this.#link.fleet(),
      requestId: (key) =>
        key === undefined ? requestIdOf(request, now().monoMs) : requestIdOfKey(session.id, key),
      mayHear: (task) => this.#mayHear(request, task),
      untold: () => session.pending.find((end) => this.#isUntold(request, end)) ?? null,
    };
  }

  /** Whether the client may be told of an end in a message that no call asked for. */
  mayHearUnasked(end: RemoteTask): boolean {
    if (this.#last === null) return false;
    return this.#mayHear({ ...this.#last, caller: null, hearer: null }, end);
  }

  /**
   * The ends to add to an answer that itself tells the ends of some tasks.
   * @param most how many ends at most.
   */
  async ride(request: Request, tells: readonly RemoteTask[], most: number): Promise<RemoteRiding> {
    const session = this.sessionOf(request);
    await session.ready(firstMs);
    const outcomes: Outcome[] = [];
    const again: string[] = [];
    const whole: Telling = { form: 'whole', carrier: 'answer', hearer: request.hearer };
    const tell = (task: RemoteTask, telling: Telling): boolean => {
      const reference = referenceOf(task);
      this.#remember(reference, task);
      const { standing, outcome } = this.#ledger.tell(
        { taskId: reference, ends: this.#endsOf(session, task) },
        telling,
      );
      if (outcome !== null) outcomes.push(outcome);
      if (standing === 'again' && telling.form === 'whole') again.push(reference);
      return outcome !== null;
    };
    const named = new Set(tells.map(referenceOf));
    for (const task of tells) if (this.#mayTellNamed(request, session, task)) tell(task, whole);
    const untold = session.pending.filter(
      (end) => !named.has(referenceOf(end)) && this.#isUntold(request, end),
    );
    const repeated = this.#tasksOf(this.#ledger.toRepeat(request.hearer));
    const found = [...untold.slice(0, most), ...repeated].filter((task) => tell(task, whole));
    const reminders = this.#tasksOf(this.#ledger.toRemindOf(request.hearer)).filter(
      (task) => !named.has(referenceOf(task)) && tell(task, { ...whole, form: 'reminder' }),
    );
    const notes = [
      ...(again.length > 0 ? [sayAgain(again)] : []),
      ...(reminders.length > 0 ? [sayRemindersIn(reminders.map(sayRemote))] : []),
      ...this.#troubleOf(session),
    ];
    return { found, left: Math.max(0, untold.length - most), notes, outcomes };
  }

  /** Notes that the client says it has received the end of a task. */
  async received(request: Request, reference: string): Promise<void> {
    const session = this.sessionOf(request);
    const task = session.find(reference) ?? this.#told.get(reference);
    if (task === undefined || !this.#mayTellNamed(request, session, task)) return;
    await this.#ledger.received({ taskId: reference, ends: this.#endsOf(session, task) });
  }

  /** The client is gone. Gives the acknowledgements of what it has read a moment to finish. */
  async close(): Promise<void> {
    this.#ledger.close();
    await Promise.all([...this.#sessions.values()].map(async (session) => await session.close()));
  }

  #endsOf(session: RemoteSession, task: RemoteTask): RemoteEnds {
    const { attempt, host, state, task: id } = task;
    const isPending = isFinal(task) && state !== 'delivered';
    return {
      // There are no claims in a fleet: each of several servers of a conversation may tell an end.
      claim: (reference) => ({
        result: isPending ? 'ours' : 'not_pending',
        earlier: this.#lost.has(reference) ? 1 : 0,
      }),
      unclaim: (reference) => void this.#lost.add(reference),
      acknowledge: async (reference) => {
        this.#lost.delete(reference);
        session.acknowledge(referenceOf({ host, task: id }), { task: id, attempt });
        return true;
      },
      find: (reference) => this.#told.get(reference) ?? session.find(reference),
    };
  }

  #remember(reference: string, task: RemoteTask): void {
    this.#told.delete(reference);
    this.#told.set(reference, task);
    const [oldest] = this.#told.keys();
    if (this.#told.size > mostTold && oldest !== undefined) this.#told.delete(oldest);
  }

  #tasksOf(ends: readonly { readonly taskId: string; readonly ends: RemoteEnds }[]): RemoteTask[] {
    return ends.map(({ taskId, ends: those }) => those.find(taskId)).filter((task) => task !== null);
  }

  #isUntold(request: Request, end: RemoteTask): boolean {
    return this.#ledger.isUntold(referenceOf(end)) && this.#mayHear(request, end);
  }

  #mayHear(request: Request, task: RemoteTask): boolean {
    const start = startOfRequest(task.request, request.client);
    return start === null || this.#hearers.mayHear(start, hashedAsker(request), task.end?.endedAt ?? null);
  }

  /**
   * Whether telling the end to the caller that named the task counts: the task is of this session, and no other client
   * must hear of it.
   */
  #mayTellNamed(request: Request, session: RemoteSession, task: RemoteTask): boolean {
    if (task.spec.session !== session.id) return false;
    const start = startOfRequest(task.request, request.client);
    const endedAt = task.end?.endedAt ?? null;
    return start === null || this.#hearers.mayHearNamed(start, hashedAsker(request), endedAt);
  }

  /** The line that the fleet cannot be asked is said once, and again only after the fleet has answered. */
  #troubleOf({ trouble }: RemoteSession): string[] {
    const isSaid = this.#saidTrouble;
    this.#saidTrouble = trouble !== null;
    return trouble === null || isSaid ? [] : [sayTrouble(trouble)];
  }

  #mayLive(identity: ProcessIdentity): boolean {
    return this.#last?.clientSession.deliveries.mayLive(identity) ?? true;
  }
}

/** One line that says that the fleet cannot be asked. */
function sayTrouble({ code, message }: Error & { readonly code: string }): string {
  const [what = ''] = message.split('. ');
  return `[The fleet cannot be asked just now, so ends of tasks on other hosts come later (${code}: ${oneLine(what, 200)}). Tasks of this machine are not affected.]`;
}
