import { starterOf } from '../../../src/tools/delivery/asker.ts';
import type { ClientSessions } from '../../../src/tools/delivery/client-sessions.ts';
import { Connection, type Request } from '../../../src/tools/delivery/connection.ts';
import type { FakeStore, FakeTask } from './ends.ts';

/** What reaches the client: the answer to a call, or to a poll. `seen`: it was asked for, and counts for nothing. */
interface Message {
  readonly request: number;
  /** What it tells, with how: `named` was asked for by its id. */
  readonly ends: readonly {
    readonly taskId: string;
    readonly how: 'whole' | 'again' | 'reminder' | 'named' | 'seen';
  }[];
  readonly isPoll: boolean;
  /** Those of another agent that lived when it was written. */
  readonly strange: ReadonlySet<string>;
  /** The client may have given up before it came. */
  readonly isLate: boolean;
  readonly driftMs: number;
}

interface Call {
  readonly request: number;
  readonly asker: Request;
  /** The task that it waits for by its id. */
  readonly named: string | null;
  readonly at: { readonly epochMs: number; readonly monoMs: number };
  isGivenUp: boolean;
}

/** The shortest limit of clients, in milliseconds. */
const limitMs = 5_000;

/** What all agents have read, and what went wrong. */
export class Readings {
  readonly faults: string[] = [];
  /** The ends that some model has read, whichever. */
  readonly read = new Set<string>();
}

/** A client program with its model, the server that it has started, and the pipe between them. */
export class FakeAgent {
  readonly #store: FakeStore;
  readonly #readings: Readings;
  readonly #party: string | null;
  readonly way: 'pipe' | 'http';
  pid: number | null = null;
  #server: number | null = null;
  #connection: Connection | null = null;
  #session: ReturnType<FakeStore['session']> | null = null;
  #calls: Call[] = [];
  #lateCancels: number[] = [];
  #pipe: Message[] = [];
  #next = 0;
  #lostLast = false;
  readonly knows = new Set<string>();
  readonly reminders = new Map<string, number>();

  constructor(
    store: FakeStore,
    readings: Readings,
    { party, way }: { party: string | null; way: 'pipe' | 'http' },
  ) {
    this.#store = store;
    this.#readings = readings;
    this.#party = party;
    this.way = way;
  }

  get lives(): boolean {
    return this.pid !== null;
  }

  /** Starts the client, and the server that it lacks. */
  async start(): Promise<void> {
    this.pid ??= this.#store.begin();
    if (this.#connection !== null) return;
    this.#server = this.#store.begin();
    const session = this.#store.session('s', this.#server);
    const sessions = { open: async () => session, openWith: async () => session };
    const clientPid = this.way === 'pipe' ? this.pid : this.#server;
    this.#session = session;
    this.#connection = new Connection(
      sessions as unknown as ClientSessions,
      this.way,
      clientPid,
      this.#store.clock,
    );
    this.reminders.clear();
    await this.#connection.open('s');
  }

  /** The server is killed; what it has written can still be read. */
  killServer(): void {
    if (this.#server === null) return;
    this.read();
    this.#store.end(this.#server);
    this.#server = null;
    this.#connection = null;
    this.#calls = [];
    this.#lateCancels = [];
  }

  /** The client is killed, with its server; what it has not read, nobody reads. */
  kill(): void {
    if (this.pid === null) return;
    this.#store.end(this.pid);
    this.pid = null;
    this.#pipe = [];
    this.killServer();
    this.knows.clear();
  }

  spawn(): FakeTask | null {
    const asker = this.#asker();
    return asker === null || this.#server === null
      ? null
      : this.#store.spawn(this.#server, starterOf(asker, null));
  }

  /** The model calls tools: when it has all answers to what it called before, or has given up. */
  call(many: number, named: string | null = null): void {
    if (this.#calls.some((call) => !call.isGivenUp)) return;
    this.read();
    this.#send(many, named);
  }

  /** A subagent without a name calls a tool, whatever the client has read of what others called: one at a time. */
  callBeside(): void {
    if (this.#calls.filter((call) => !call.isGivenUp).length === 1) this.#send(1, null);
  }

  #send(many: number, named: string | null): void {
    const asker = this.#asker();
    if (asker === null) return;
    for (let n = 0; n < many; n += 1) {
      this.#next += 1;
      this.#connection?.receipts.arrived(this.#next, true, null);
      this.#connection?.called(asker);
      this.#calls.push({ request: this.#next, asker, named, at: this.#store.clock(), isGivenUp: false });
    }
  }

  /** The server answers the call that has waited longest. */
  answer(): void {
    const call = this.#calls.find(
      ({ request }) => !this.#pipe.some((message) => message.request === request),
    );
    const connection = this.#connection;
    if (call === undefined || connection === null) return;
    const ended = call.named !== null && this.#store.find(call.named)?.endedAt != null;
    const tells = ended && call.named !== null ? [call.named] : [];
    const { found, notes, outcomes } = connection.ride(call.asker, tells);
    for (const outcome of outcomes) connection.receipts.expect(call.request, outcome);
    connection.receipts.answered(call.request);
    const again = idsIn(notes, 'Told again');
    const whole = found.map(
      ({ taskId }) => ({ taskId, how: again.includes(taskId) ? 'again' : 'whole' }) as const,
    );
    const reminders = idsIn(notes, 'Told before').map((taskId) => ({ taskId, how: 'reminder' }) as const);
    for (const { taskId } of reminders) this.reminders.set(taskId, (this.reminders.get(taskId) ?? 0) + 1);
    const elsewhere = idsIn(notes, 'Another client');
    const named = tells.map(
      (taskId) => ({ taskId, how: elsewhere.includes(taskId) ? 'seen' : 'named' }) as const,
    );
    const ends = [...whole, ...reminders, ...named];
    this.#pipe.push({
      request: call.request,
      ends,
      strange: this.#strangeIn(ends),
      isPoll: false,
      isLate: this.#tookMs(call) >= limitMs,
      driftMs: this.#driftMs,
    });
  }

  /** The client asks for a task by itself, and is answered at once. */
  poll(taskId: string): void {
    const [asker, connection] = [this.#asker(), this.#connection];
    if (asker === null || connection === null || this.way === 'http') return;
    this.#next += 1;
    connection.receipts.arrived(this.#next, false, null);
    connection.handOver(taskId);
    const hasEnded = this.#store.find(taskId)?.endedAt != null;
    const outcome = hasEnded ? connection.tellBeside(asker, taskId) : null;
    if (outcome !== null) connection.receipts.expect(this.#next, outcome);
    connection.receipts.answered(this.#next);
    const how = outcome === null ? ('seen' as const) : ('named' as const);
    const ends = hasEnded ? [{ taskId, how }] : [];
    const [strange, driftMs] = [this.#strangeIn(ends), this.#driftMs];
    this.#pipe.push({ request: this.#next, ends, strange, isPoll: true, isLate: false, driftMs });
  }

  /** The client reads what has come, or the first of it. */
  read(most = Number.POSITIVE_INFINITY): void {
    for (const message of this.#pipe.splice(0, most)) {
      const call = this.#calls.find(({ request }) => request === message.request);
      this.#calls = this.#calls.filter((open) => open !== call);
      if (call?.isGivenUp === true) continue;
      if (call !== undefined || message.isPoll) this.#learn(message);
    }
  }

  /** Over HTTP something between the two sends a 504 in place of the answer; of two in a row nobody could know. */
  lose(): void {
    const message = this.#pipe.at(0);
    if (this.way !== 'http' || message === undefined || this.#lostLast) return;
    this.#lostLast = true;
    this.#pipe = [];
    this.#calls = [];
  }

  /** The client gives up what has taken too long: without a word, or with a cancel that comes at once, or late. */
  giveUp(how: 'silent' | 'cancel' | 'late cancel'): void {
    if (this.way === 'http') return;
    for (const call of this.#calls.filter(({ isGivenUp }) => !isGivenUp)) {
      const message = this.#pipe.find(({ request }) => request === call.request);
      const slept = message !== undefined && Math.abs(this.#driftMs - message.driftMs) > 2_000;
      const isTimeUp = this.#tookMs(call) >= limitMs && (message === undefined || message.isLate || slept);
      if (how === 'silent' && !isTimeUp) continue;
      call.isGivenUp = true;
      if (how === 'cancel') this.#connection?.receipts.dropped(call.request);
      if (how === 'late cancel') this.#lateCancels.push(call.request);
    }
  }

  /** The cancels arrive that were on their way. */
  deliverCancels(): void {
    for (const request of this.#lateCancels) this.#connection?.receipts.dropped(request);
    this.#lateCancels = [];
  }

  #asker(): Request | null {
    const { pid } = this;
    if (pid === null || this.#connection === null || this.#session === null) return null;
    const client = this.#connection.clientOf(this.#session);
    return { clientSession: this.#session, party: this.#party, caller: null, client, hearer: null };
  }

  #tookMs({ at }: Call): number {
    const { epochMs, monoMs } = this.#store;
    return Math.max(epochMs - at.epochMs, monoMs - at.monoMs);
  }

  get #driftMs(): number {
    return this.#store.epochMs - this.#store.monoMs;
  }

  #strangeIn(ends: Message['ends']): Set<string> {
    const isStrange = (taskId: string): boolean => {
      const starter = this.#store.find(taskId)?.start.starter;
      if (starter === undefined) return false;
      const isMine =
        starter.party !== undefined ? starter.party === this.#party : starter.client.pid === this.pid;
      return !isMine && this.#store.lives(starter.client.pid);
    };
    return new Set(ends.map(({ taskId }) => taskId).filter(isStrange));
  }

  #learn({ ends, strange }: Message): void {
    this.#lostLast = false;
    for (const { taskId, how } of ends) {
      const isStrange = strange.has(taskId);
      if (isStrange && how !== 'named' && how !== 'seen')
        this.#readings.faults.push(`${taskId}: told to a stranger`);
      if (how === 'whole' && this.#readings.read.has(taskId))
        this.#readings.faults.push(`${taskId}: told twice, and not marked`);
      this.knows.add(taskId);
      // Who looks at the task of another one that lives is told nothing that counts.
      if (!isStrange && how !== 'seen') this.#readings.read.add(taskId);
    }
  }
}

function idsIn(notes: readonly string[], begin: string): string[] {
  return notes
    .filter((note) => note.startsWith(begin))
    .flatMap((note) => [...note.matchAll(/bgb-[0-9a-f]{12}/g)].map(([id]) => id));
}
