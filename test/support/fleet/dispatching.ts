import { setTimeout as sleep } from 'node:timers/promises';
import { OutliveError } from '../../../src/errors/error.ts';
import type { Fleet } from '../../../src/fleet/client/fleet.ts';
import type { RemoteTask } from '../../../src/fleet/client/index.ts';
import type { Chance } from '../chance.ts';

/** What was asked for. */
export interface Dispatched {
  readonly key: string;
  /** The id that the first answer named. */
  readonly task: string;
  readonly redispatch: number;
}

const session = 'chaos';

/** So many questions are under way at once, and so many tasks may be without an end. */
const askers = 16;
const mostOpen = 300;

/** The exit status that the command of a number has. */
export function statusOf(key: string): number {
  return Number(key.slice(1)) % 5;
}

/**
 * Starts tiny commands through clients of a fleet that is under attack, and acknowledges their ends. A question without an answer is
 * asked again under the same key.
 */
export class Dispatching {
  readonly dispatched = new Map<string, Dispatched>();
  /** What the consumer was told of each key, in the order in which it came; more than once where an acknowledgement got lost. */
  readonly told = new Map<string, RemoteTask[]>();
  /** What is wrong by itself. */
  readonly wrong: string[] = [];
  /** How often there was no answer, and no host that could take it. */
  readonly refusals: Record<string, number> = {};
  readonly #clients: readonly [Fleet, ...Fleet[]];
  readonly #hosts: readonly string[];
  readonly #chance: Chance;
  #next = 0;
  #isOver = false;

  constructor(clients: readonly [Fleet, ...Fleet[]], hosts: readonly string[], chance: Chance) {
    this.#clients = clients;
    this.#hosts = hosts;
    this.#chance = chance;
  }

  /** Dispatches so many commands, or fewer when the time is over, by the clock of `performance`. Resolves when each was taken. */
  async run(count: number, endAt: number): Promise<void> {
    const ask = async (): Promise<void> => {
      while (this.#next < count && performance.now() < endAt) {
        if (this.dispatched.size - this.told.size >= mostOpen) {
          await sleep(20);
          continue;
        }
        this.#next += 1;
        await this.#dispatch(`d${this.#next}`);
      }
    };
    await Promise.all(Array.from({ length: askers }, ask));
  }

  /** Takes ends until {@link stop}. */
  async consume(): Promise<void> {
    const [client] = this.#clients;
    while (!this.#isOver) {
      try {
        const found = await client.completions(session, { forMs: 1_000 });
        for (const end of found) this.#take(end);
        if (found.length > 0) await client.acknowledge(session, found);
      } catch (error) {
        this.#note(error);
        await sleep(100);
      }
    }
  }

  stop(): void {
    this.#isOver = true;
  }

  /** Everything that the fleet remembers of these. */
  async remembered(): Promise<RemoteTask[]> {
    const found: RemoteTask[] = [];
    for await (const task of this.#clients[0].tasks({ session })) found.push(task);
    return found;
  }

  async #dispatch(key: string): Promise<void> {
    const kind = this.#chance.number(100);
    const on = kind < 60 ? 'any' : (this.#hosts[this.#chance.number(this.#hosts.length)] ?? 'any');
    const redispatch = kind < 10 ? 1 : 0;
    // Now and then it is asked for twice at once, of two coordinators maybe.
    const asked = Array.from({ length: kind % 20 === 0 ? 2 : 1 }, async () => {
      const task = await this.#ask(key, on, redispatch);
      const known = this.dispatched.get(key);
      if (known === undefined) this.dispatched.set(key, { key, task, redispatch });
      else if (known.task !== task) this.wrong.push(`${key} is ${known.task}, and ${task}`);
    });
    await Promise.all(asked);
  }

  /** Until there is an answer: what was asked once may have started. */
  async #ask(key: string, on: string, redispatch: number): Promise<string> {
    const client = this.#clients[this.#chance.number(this.#clients.length)] ?? this.#clients[0];
    // Each start is a line of the host's own file, written in one go.
    const lasts = this.#chance.number(10) === 0 ? `sleep 0.${this.#chance.number(9)}; ` : '';
    const command = `echo "${key} $OUTLIVE_ATTEMPT" >> starts; ${lasts}exit ${statusOf(key)}`;
    for (;;) {
      try {
        return (await client.spawn(command, { on, session, key, redispatch, startByMs: null })).id;
      } catch (error) {
        this.#note(error);
        await sleep(100);
      }
    }
  }

  #note(error: unknown): void {
    if (!(error instanceof OutliveError)) throw error;
    this.refusals[error.code] = (this.refusals[error.code] ?? 0) + 1;
    if (!['FLEET_UNREACHABLE', 'FLEET_BUSY', 'FLEET_HOST', 'HOST_UNREACHABLE'].includes(error.code))
      this.wrong.push(error.message);
  }

  #take(end: RemoteTask): void {
    const before = this.told.get(end.request) ?? [];
    this.told.set(end.request, [...before, end]);
  }
}
