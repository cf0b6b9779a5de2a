import type { Claim } from '../../engine/completions/claim.ts';
import type { Outcome, Way } from './receipts.ts';

/** What the ledger needs from the session of the tasks. */
export interface Ends {
  claim(taskId: string): Claim;
  unclaim(taskId: string): void;
  /** Never throws: a failure is reported. */
  acknowledge(taskId: string): Promise<boolean>;
}

/** How an end is told: whole, or by one line that reminds of it. */
export type Form = 'whole' | 'reminder';

/** What carries an end: the answer to the call of a tool, or a message that no model waits for. */
type Carrier = 'answer' | 'beside';

/** How an end is told, and to whom. */
export interface Telling {
  readonly form: Form;
  readonly carrier: Carrier;
  /** The hearer, as in `hearerIn`. */
  readonly hearer: string | null;
}

/**
 * Whether an end was told before. `first`: no. `again`: perhaps. `elsewhere`: another connection is telling it just
 * now. `over`: it was acknowledged, or the task has not ended.
 */
type Standing = 'first' | 'again' | 'elsewhere' | 'over';

/** An end that is being told. */
export interface Told {
  readonly standing: Standing;
  /** So many attempts to tell it have failed that its text may be what kills the readers. */
  readonly isRisky: boolean;
  /** Null: this telling does not count. */
  readonly outcome: Outcome | null;
}

/** An end, and the session that has its task. */
export interface End<E> {
  readonly taskId: string;
  readonly ends: E;
}

/** An end that was told to this client, and is not known to be read. */
interface Entry<E extends Ends> {
  readonly ends: E;
  readonly hearer: string | null;
  /** The last telling of it. The outcomes of earlier ones no longer matter. */
  last: object | null;
  inFlight: boolean;
  /** It was told, and perhaps not read. */
  isDoubtful: boolean;
  reminders: number;
  slowReminders: number;
  isAcknowledged: boolean;
}

const mostReminders = 4;
const mostSlowReminders = 3;

/** After this many failed claims an answer tells the end in one line. */
const riskyAfter = 3;

/**
 * The ends that the client of one connection was told of, until it is known whether it has read them. This is only in
 * memory: if the process dies, the claims on disk say that these ends were told and not acknowledged.
 */
export class Ledger<E extends Ends> {
  readonly #isPipe: boolean;
  readonly #entries = new Map<string, Entry<E>>();
  /**
   * Ends that were acknowledged too early: the client cancelled the request afterwards. They are told again from
   * memory.
   */
  readonly #again = new Map<string, Entry<E>>();

  constructor(way: Way) {
    this.#isPipe = way === 'pipe';
  }

  /** Whether a pending end was not told here yet, or must be told here once more. */
  isUntold(taskId: string): boolean {
    return !this.#entries.has(taskId);
  }

  /** The ends that are told again although they were acknowledged. */
  toRepeat(hearer: string | null): End<E>[] {
    return endsIn(this.#again, (entry) => entry.hearer === hearer);
  }

  /** The ends that an answer to this hearer must mention again. */
  toRemindOf(hearer: string | null): End<E>[] {
    return endsIn(
      this.#entries,
      (entry) =>
        entry.isDoubtful &&
        !entry.inFlight &&
        entry.hearer === hearer &&
        entry.reminders < mostReminders &&
        entry.slowReminders < mostSlowReminders,
    );
  }

  /** Claims an end that is about to be told. */
  tell({ taskId, ends }: End<E>, telling: Telling): Told {
    const again = this.#again.get(taskId);
    if (again !== undefined) {
      this.#again.delete(taskId);
      this.#entries.set(taskId, again);
      return { standing: 'again', isRisky: false, outcome: this.#fly(taskId, again, telling) };
    }
    const { result, earlier } = ends.claim(taskId);
    const isRisky = earlier >= riskyAfter;
    if (result !== 'ours') {
      this.#entries.delete(taskId);
      return { standing: result === 'taken' ? 'elsewhere' : 'over', isRisky, outcome: null };
    }
    const known = this.#entries.get(taskId);
    const entry = known ?? newEntry(ends, telling.hearer);
    this.#entries.set(taskId, entry);
    const standing = earlier > 0 || known !== undefined ? 'again' : 'first';
    return { standing, isRisky, outcome: this.#fly(taskId, entry, telling) };
  }

  /** Notes that the client says it has received the end of a task. */
  async received({ taskId, ends }: End<E>): Promise<void> {
    const entry = this.#entries.get(taskId) ?? newEntry(ends, null);
    entry.last = null;
    this.#again.delete(taskId);
    await this.#done(taskId, entry);
  }

  /** The client is gone, and the process goes on: others may tell the ends that it has not read. */
  close(): void {
    for (const [taskId, entry] of this.#entries) if (!entry.isAcknowledged) entry.ends.unclaim(taskId);
    this.#entries.clear();
    this.#again.clear();
  }

  #fly(taskId: string, entry: Entry<E>, { form, carrier }: Telling): Outcome {
    const flight = {};
    entry.last = flight;
    entry.inFlight = true;
    if (form === 'reminder') entry.reminders += 1;
    return {
      followed: async (isSure) => {
        if (entry.last !== flight) return;
        entry.inFlight = false;
        const isRead = this.#isPipe ? isSure : form === 'reminder' || carrier === 'beside';
        if (isRead || entry.isAcknowledged) await this.#done(taskId, entry);
        else this.#doubt(entry, form);
      },
      lost: () => {
        if (entry.last === flight) this.#lost(taskId, entry, form);
      },
    };
  }

  #doubt(entry: Entry<E>, form: Form): void {
    entry.isDoubtful = true;
    if (form === 'reminder') entry.slowReminders += 1;
  }

  #lost(taskId: string, entry: Entry<E>, form: Form): void {
    entry.inFlight = false;
    if (entry.isAcknowledged) {
      this.#entries.delete(taskId);
      this.#again.set(taskId, entry);
    } else if (form === 'whole') {
      this.#entries.delete(taskId);
      entry.ends.unclaim(taskId);
    }
  }

  async #done(taskId: string, entry: Entry<E>): Promise<void> {
    entry.inFlight = false;
    entry.isDoubtful = false;
    if (!entry.isAcknowledged) {
      entry.isAcknowledged = true;
      entry.isAcknowledged = await entry.ends.acknowledge(taskId);
      // An end that could not be acknowledged still counts as told, so that not every answer carries it.
      if (!entry.isAcknowledged) return;
    }
    if (this.#entries.get(taskId) === entry) this.#entries.delete(taskId);
  }
}

function newEntry<E extends Ends>(ends: E, hearer: string | null): Entry<E> {
  const none = { reminders: 0, slowReminders: 0 };
  return { ends, hearer, last: null, inFlight: false, isDoubtful: false, isAcknowledged: false, ...none };
}

function endsIn<E extends Ends>(
  entries: ReadonlyMap<string, Entry<E>>,
  isMeant: (entry: Entry<E>) => boolean,
): End<E>[] {
  const found: End<E>[] = [];
  for (const [taskId, entry] of entries) if (isMeant(entry)) found.push({ taskId, ends: entry.ends });
  return found;
}
