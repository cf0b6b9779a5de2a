import type { SpecFact } from '../../model/facts.ts';
import type { TaskSnapshot } from '../../model/snapshot.ts';
import type { ProcessIdentity } from '../../model/words.ts';
import { type Now, now } from '../../platform/clock.ts';
import { randomHex } from '../../util/crypto.ts';
import { monotonicMs } from '../../util/wait.ts';
import { sayAgain, sayElsewhere, sayReminders } from '../text/say-ends.ts';
import type { ClientSession } from './client-session.ts';
import type { ClientSessions } from './client-sessions.ts';
import { type Asker, Hearers } from './hearers.ts';
import { type End, type Ends, Ledger, type Telling, type Told } from './ledger.ts';
import { type Outcome, Receipts, type Way } from './receipts.ts';

/** The most completions that one answer carries, so that it stays small. */
const mostRiders = 10;

/** A client asks for the end of its MCP task itself. If it has not asked for this long, the model is told. */
const handedOverMs = 60_000;

/** On macOS each check of whether a process lives starts a program, so there a result counts for this long. */
const seenMs = process.platform === 'darwin' ? 200 : 0;

/** The client that makes a request, and its session. */
export interface Request extends Asker {
  readonly clientSession: ClientSession;
  /** As in `hearerIn`. */
  readonly hearer: string | null;
}

/** The ends that an answer tells in addition to its own result. */
export interface Riding {
  readonly found: readonly TaskSnapshot[];
  /** How many more the next answers tell. */
  readonly left: number;
  /** Lines about what is told again, and reminders. */
  readonly notes: readonly string[];
  readonly outcomes: readonly Outcome[];
}

interface SessionEnds extends Ends {
  snapshot(taskId: string): TaskSnapshot | null;
}

/** One connected client: the sessions that it uses, and what it was told about them. */
export class Connection {
  readonly receipts: Receipts;
  /** The name under which this connection claims ends. */
  readonly #id = randomHex(6);
  readonly #now: () => Now;
  readonly #clientSessions: ClientSessions;
  readonly #clientPid: number;
  readonly #own: string | null;
  readonly #ledger: Ledger<SessionEnds>;
  readonly #hearers: Hearers;
  readonly #used = new Map<ClientSession, SessionEnds>();
  /** MCP tasks of this client, and when it last asked for each (epoch ms). */
  readonly #handedOver = new Map<string, number>();
  readonly #listeners = new Set<(clientSession: ClientSession) => void>();
  readonly #seen = new Map<string, { readonly at: number; readonly mayLive: boolean }>();
  #client: ProcessIdentity | null = null;
  #last: Request | null = null;

  /**
   * @param clientPid the client program; this process, if the client's process is not known.
   * @param clock for tests.
   * @param own the session of this client's conversation: it is told of every end there, whoever started the task.
   */
  constructor(
    clientSessions: ClientSessions,
    way: Way,
    clientPid = process.pid,
    clock: () => Now = now,
    own: string | null = null,
  ) {
    this.#now = clock;
    this.#clientSessions = clientSessions;
    this.#clientPid = clientPid;
    this.#own = own;
    this.receipts = new Receipts(way, clock);
    this.#ledger = new Ledger(way);
    this.#hearers = new Hearers((identity) => this.#mayLive(identity), clock);
  }

  /** The sessions that this client has used. */
  get clientSessions(): readonly ClientSession[] {
    return [...this.#used.keys()];
  }

  /** Opens a session for this client. */
  async open(sessionId: string): Promise<ClientSession> {
    return this.#use(await this.#clientSessions.open(sessionId));
  }

  /** Opens the session that has a task; null if there is no such task. */
  async openWith(taskId: string): Promise<ClientSession | null> {
    const clientSession = await this.#clientSessions.openWith(taskId);
    return clientSession === null ? null : this.#use(clientSession);
  }

  /** Calls back with each session when this client first uses it. */
  onDesk(listener: (clientSession: ClientSession) => void): void {
    this.#listeners.add(listener);
  }

  /** The process that lives as long as the client. */
  clientOf({ deliveries }: ClientSession): ProcessIdentity {
    // If the parent is gone, or is in another pid namespace, this process stands for the client.
    const parent = this.#clientPid > 1 ? deliveries.processHere(this.#clientPid) : null;
    this.#client ??= parent ?? (deliveries.processHere(process.pid) as ProcessIdentity);
    return this.#client;
  }

  /** Notes that a tool is called. */
  called(request: Request): void {
    const isFirst = this.#last?.clientSession !== request.clientSession;
    this.#last = request;
    this.#hearers.called(request, isFirst ? request.clientSession.starts() : []);
  }

  /** Notes that this client has a task as an MCP task, and has just asked for it: it will hear of the end that way. */
  handOver(taskId: string): void {
    this.#handedOver.set(taskId, this.#now().epochMs);
  }

  /** Whether this caller may be told of the end of a task unasked. */
  mayHear(request: Request, taskId: string): boolean {
    const { clientSession } = request;
    const start = clientSession.startOf(taskId);
    if (start === null || clientSession.session.id === this.#own) return true;
    return this.#hearers.mayHear(start, request, start.starter?.caller ? endOf(clientSession, taskId) : null);
  }

  /** Whether this caller started a task, or a program that does not say who it is. */
  isStartedBy(request: Request, { starter, by, monoMs }: SpecFact): boolean {
    return this.#hearers.isStartedBy({ starter, by, monoMs }, request);
  }

  /** Whether the client may be told of the end of a task in a message that no call asked for. */
  mayHearUnasked(clientSession: ClientSession, taskId: string): boolean {
    const client = this.clientOf(clientSession);
    const nobody = { party: this.#last?.party ?? null, caller: null, client };
    return this.mayHear({ ...nobody, hearer: null, clientSession }, taskId);
  }

  /** Whether an answer must tell this client of the end of a task. */
  untold(request: Request, taskId: string): boolean {
    if (!this.#ledger.isUntold(taskId) || !this.mayHear(request, taskId)) return false;
    const asked = this.#handedOver.get(taskId);
    if (asked === undefined) return true;
    return this.#now().epochMs - Math.max(asked, endOf(request.clientSession, taskId) ?? 0) > handedOverMs;
  }

  /** Claims the end of a task for this client. False if another client is being told of it just now. */
  take({ clientSession }: Request, taskId: string): boolean {
    return this.#endsOf(clientSession).claim(taskId).result === 'ours';
  }

  /** The ends to add to an answer that itself tells the ends of some tasks. */
  ride(request: Request, tells: readonly string[]): Riding {
    const notes = new Notes();
    const ends = this.#endsOf(request.clientSession);
    const whole: Telling = { form: 'whole', carrier: 'answer', hearer: request.hearer };
    for (const taskId of tells) {
      const named = this.#about(request, taskId);
      if (!this.#mayHearNamed(named, taskId)) continue;
      notes.add(taskId, this.#ledger.tell({ taskId, ends: this.#endsOf(named.clientSession) }, whole));
    }
    const wanted = (taskId: string): boolean => !tells.includes(taskId) && this.untold(request, taskId);
    const { found: untold, left } = request.clientSession.pending(wanted, mostRiders);
    const repeated = snapshots(this.#ledger.toRepeat(request.hearer).slice(0, mostRiders));
    const found = [...untold.map((snapshot) => ({ snapshot, ends })), ...repeated].filter(
      ({ snapshot, ends: theirs }) => {
        const { taskId } = snapshot;
        const told = this.#ledger.tell({ taskId, ends: theirs }, whole);
        if (told.outcome === null) return false;
        if (told.isRisky) notes.remind(snapshot, told.outcome);
        else notes.add(taskId, told);
        return !told.isRisky;
      },
    );
    for (const { snapshot, ends: theirs } of snapshots(this.#ledger.toRemindOf(request.hearer))) {
      const reminder: Telling = { ...whole, form: 'reminder' };
      const { outcome } = this.#ledger.tell({ taskId: snapshot.taskId, ends: theirs }, reminder);
      if (outcome !== null) notes.remind(snapshot, outcome);
      if (notes.reminders.length >= mostRiders) break;
    }
    const { lines, outcomes } = notes;
    return { found: found.map(({ snapshot }) => snapshot), left, notes: lines, outcomes };
  }

  /**
   * Notes that the end of a task is being told by something other than the answer to a tool call.
   * @returns null if this telling does not count.
   */
  tellBeside(request: Request, taskId: string): Outcome | null {
    if (!this.#mayHearNamed(request, taskId)) return null;
    const telling: Telling = { form: 'whole', carrier: 'beside', hearer: request.hearer };
    return this.#ledger.tell({ taskId, ends: this.#endsOf(request.clientSession) }, telling).outcome;
  }

  /** Notes that the client says it has received the end of a task. */
  async received(request: Request, taskId: string): Promise<void> {
    if (!this.#mayHearNamed(request, taskId)) return;
    await this.#ledger.received({ taskId, ends: this.#endsOf(request.clientSession) });
  }

  /** The client is gone, and this process goes on. */
  close(): void {
    this.#ledger.close();
  }

  #use(clientSession: ClientSession): ClientSession {
    if (this.#used.has(clientSession)) return clientSession;
    this.#endsOf(clientSession);
    for (const listener of this.#listeners) listener(clientSession);
    return clientSession;
  }

  /** The same request, for the session that has the task. */
  #about(request: Request, taskId: string): Request {
    const mayHave = [request.clientSession, ...this.#used.keys()];
    const owner = mayHave.find((clientSession) => clientSession.startOf(taskId) !== null);
    return { ...request, clientSession: owner ?? request.clientSession };
  }

  #mayHearNamed(request: Request, taskId: string): boolean {
    const { clientSession } = request;
    const start = clientSession.startOf(taskId);
    if (start === null) return false;
    if (clientSession.session.id === this.#own) return true;
    return this.#hearers.mayHearNamed(start, request, endOf(clientSession, taskId));
  }

  #endsOf(clientSession: ClientSession): SessionEnds {
    const { deliveries } = clientSession;
    const ends: SessionEnds = this.#used.get(clientSession) ?? {
      claim: (taskId) => deliveries.claim(taskId, { id: this.#id }),
      unclaim: (taskId) => deliveries.unclaim(taskId, this.#id),
      acknowledge: async (taskId) => {
        this.#handedOver.delete(taskId);
        return await clientSession.acknowledge(taskId);
      },
      snapshot: (taskId) => clientSession.snapshot(taskId),
    };
    this.#used.set(clientSession, ends);
    return ends;
  }

  #mayLive(identity: ProcessIdentity): boolean {
    const [clientSession] = this.#used.keys();
    if (clientSession === undefined) return true;
    const key = JSON.stringify(identity);
    const known = this.#seen.get(key);
    const at = monotonicMs();
    if (known !== undefined && at - known.at < seenMs) return known.mayLive;
    const mayLive = clientSession.deliveries.mayLive(identity);
    this.#seen.set(key, { at, mayLive });
    return mayLive;
  }
}

/** What an answer says about the ends that it tells. */
class Notes {
  readonly outcomes: Outcome[] = [];
  readonly reminders: TaskSnapshot[] = [];
  readonly #again: string[] = [];
  readonly #elsewhere: string[] = [];

  add(taskId: string, { standing, outcome }: Told): void {
    if (outcome !== null) this.outcomes.push(outcome);
    if (standing === 'again') this.#again.push(taskId);
    if (standing === 'elsewhere') this.#elsewhere.push(taskId);
  }

  remind(snapshot: TaskSnapshot, outcome: Outcome): void {
    this.outcomes.push(outcome);
    this.reminders.push(snapshot);
  }

  get lines(): string[] {
    const lines: string[] = [];
    if (this.#again.length > 0) lines.push(sayAgain(this.#again));
    if (this.#elsewhere.length > 0) lines.push(sayElsewhere(this.#elsewhere));
    if (this.reminders.length > 0) lines.push(sayReminders(this.reminders));
    return lines;
  }
}

/** The snapshots of ends, without those of removed tasks. */
function snapshots(found: readonly End<SessionEnds>[]): { snapshot: TaskSnapshot; ends: SessionEnds }[] {
  return found.flatMap(({ taskId, ends }) => {
    const snapshot = ends.snapshot(taskId);
    return snapshot === null ? [] : [{ snapshot, ends }];
  });
}

function endOf(clientSession: ClientSession, taskId: string): number | null {
  const snapshot = clientSession.snapshot(taskId);
  return snapshot === null ? null : (snapshot.endedAt ?? snapshot.lastSeenAt);
}
