import type { Starter } from '../../model/starter.ts';
import type { ProcessIdentity } from '../../model/words.ts';
import { type Now, now } from '../../platform/clock.ts';

/** The caller of a tool, as far as the client and its request say. */
export interface Asker {
  /** The conversation; null: its agent does not name it, and the client program stands for it. */
  readonly party: string | null;
  /** The subagent; null: the main agent, or the client does not say. */
  readonly caller: string | null;
  /** The client program. */
  readonly client: ProcessIdentity;
}

/** Who started a task, and when: from its spec. */
export interface Start {
  readonly starter: Starter | undefined;
  /** The process that spawned it. It has the boot and the pid namespace of the client. */
  readonly by: ProcessIdentity;
  /** By the clock that all processes of a boot share. */
  readonly monoMs: number;
}

/** If a subagent makes no call for this long after its task has ended, the main agent is told of the end. */
const silentMs = 600_000;

/**
 * The callers that outlive may tell of the end of a task unasked: the conversation that started it, while its client
 * lives. If that client is dead, its successors: callers that had not called before it died. A caller that called while
 * it lived works beside it, and outlive never tells that caller of the task.
 */
export class Hearers {
  readonly #lives: (identity: ProcessIdentity) => boolean;
  readonly #now: () => Now;
  /** Clients that lived when this connection had made its first call. */
  readonly #neighbours = new Set<string>();
  readonly #lastCalls = new Map<string, number>();
  #firstCall: Now | null = null;

  /** @param lives whether a process may be alive. */
  constructor(lives: (identity: ProcessIdentity) => boolean, clock: () => Now = now) {
    this.#lives = lives;
    this.#now = clock;
  }

  /** Notes that a tool is called. @param starts the starts of the tasks that may have news. */
  called(asker: Asker, starts: Iterable<Start>): void {
    const at = this.#now();
    this.#firstCall ??= at;
    if (asker.caller !== null) this.#lastCalls.set(asker.caller, at.epochMs);
    for (const start of starts) this.#isNeighbour(start, asker);
  }

  /**
   * Whether a caller that has not asked may be told of the end of a task.
   * @param endedAt epoch milliseconds; null: it has not ended.
   */
  mayHear(start: Start, asker: Asker, endedAt: number | null): boolean {
    const { starter } = start;
    if (starter === undefined) return true;
    if (isOfParty(start, starter, asker)) return this.#mayCallerHear(starter.caller ?? null, asker, endedAt);
    return !this.#isNeighbour(start, asker) && asker.caller === null;
  }

  /** Whether an end counts as told after a caller that named the task by its id was told of it. */
  mayHearNamed(start: Start, asker: Asker, endedAt: number | null): boolean {
    if (this.mayHear(start, asker, endedAt)) return true;
    const { starter } = start;
    return (
      starter !== undefined && !isOfParty(start, starter, asker) && !this.#lives(clientOf(start, starter))
    );
  }

  /** Whether this caller started a task, or a program that does not say who it is. */
  isStartedBy(start: Start, asker: Asker): boolean {
    return start.starter === undefined || isOfParty(start, start.starter, asker);
  }

  #isNeighbour(start: Start, asker: Asker): boolean {
    const { starter } = start;
    if (starter === undefined || isOfParty(start, starter, asker)) return false;
    const client = clientOf(start, starter);
    const key = `${client.pid} ${client.start} ${client.boot} ${client.pidNamespace}`;
    if (this.#neighbours.has(key)) return true;
    const called = this.#firstCall;
    // A client that starts a task is alive. Each boot has its own clock, and all clients of an earlier boot are dead.
    const livedSince = called !== null && client.boot === asker.client.boot && called.monoMs <= start.monoMs;
    if (!livedSince && !this.#lives(client)) return false;
    if (called !== null) this.#neighbours.add(key);
    return true;
  }

  #mayCallerHear(starting: string | null, { caller }: Asker, endedAt: number | null): boolean {
    if (starting === caller) return true;
    if (caller !== null || starting === null || endedAt === null) return false;
    const since = Math.max(endedAt, this.#lastCalls.get(starting) ?? 0);
    return this.#now().epochMs - since >= silentMs;
  }
}

function isOfParty(start: Start, starter: Starter, { party, client }: Asker): boolean {
  if (starter.party !== undefined && party !== null) return starter.party === party;
  const other = clientOf(start, starter);
  const isSameProcess = other.pid === client.pid && other.start === client.start;
  return isSameProcess && other.boot === client.boot && other.pidNamespace === client.pidNamespace;
}

function clientOf({ by }: Start, { client }: Starter): ProcessIdentity {
  return { ...by, ...client };
}
