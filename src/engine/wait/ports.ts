import { acceptingAddress } from '../../platform/loopback.ts';
import { type ListeningSocket, listeningSockets, socketsOf } from '../../platform/sockets.ts';
import { monotonicMs } from '../../util/wait.ts';
import type { ListeningPort } from '../processes/listening.ts';
import { findMembers, treeOf } from '../processes/members.ts';
import type { SessionContext } from '../session/context.ts';
import { observe } from '../session/observe.ts';

/** It does not check a foreign socket again for this long, because the owner of a socket hardly ever changes. */
const strangerMs = 2_000;

/** Whether this system lists who listens; elsewhere only a known port can be looked for, by connecting. */
export function canListPorts(): boolean {
  return listeningSockets() !== null;
}

/** The pause between two checks, because no event reports a new socket. It grows with the time of the wait. */
const shortestPauseMs = 15;
const longestPauseMs = 250;

/**
 * Looks for a port at which a task's processes listen. Linux and Windows tell which sockets listen, on Linux in our
 * own network namespace, and whose they are; elsewhere we connect to the port, which anybody may hold.
 */
export class PortSearch {
  readonly #context: SessionContext;
  readonly #taskId: string;
  readonly #wanted: number | true;
  readonly #beganAt = monotonicMs();
  #lookedAt = Number.NEGATIVE_INFINITY;
  #dueAt = Number.NEGATIVE_INFINITY;
  #leastPauseMs = shortestPauseMs;
  /** Sockets that were strangers', and when that was. */
  #strangers = new Map<number, number>();

  constructor(context: SessionContext, taskId: string, wanted: number | true) {
    this.#context = context;
    this.#taskId = taskId;
    this.#wanted = wanted;
  }

  /** Milliseconds until the next look is due; 0 or less when it is. */
  get dueInMs(): number {
    return this.#dueAt - monotonicMs();
  }

  /** The task wrote something, perhaps that it listens now: the next look is soon. */
  hasten(): void {
    this.#dueAt = Math.min(this.#dueAt, this.#lookedAt + this.#leastPauseMs);
  }

  /** The port, if a process of the task listens now. */
  async look(): Promise<ListeningPort | null> {
    const begin = monotonicMs();
    const found = await this.#look(begin);
    this.#lookedAt = monotonicMs();
    // A machine with many connections has long lists: looking takes a tenth of the time at most.
    this.#leastPauseMs = Math.max(shortestPauseMs, 10 * (this.#lookedAt - begin));
    const pause = Math.min(longestPauseMs, (begin - this.#beganAt) / 10);
    this.#dueAt = this.#lookedAt + Math.max(this.#leastPauseMs, pause);
    return found;
  }

  async #look(now: number): Promise<ListeningPort | null> {
    const sockets = listeningSockets();
    if (sockets === null) return await this.#byConnecting();
    const candidates = sockets.filter(
      ({ port, inode }) =>
        (this.#wanted === true || port === this.#wanted) &&
        now - (this.#strangers.get(inode) ?? Number.NEGATIVE_INFINITY) > strangerMs,
    );
    return candidates.length === 0 ? null : await this.#ofTask(candidates, now);
  }

  async #byConnecting(): Promise<ListeningPort | null> {
    if (this.#wanted === true) return null;
    const address = await acceptingAddress(this.#wanted);
    return address === null ? null : { port: this.#wanted, address, pid: null };
  }

  async #ofTask(candidates: readonly ListeningSocket[], now: number): Promise<ListeningPort | null> {
    const observed = observe(this.#context, this.#taskId);
    if (observed === null || observed.alive === 'unknown' || observed.deathReason !== null) return null;
    const { system } = this.#context.store;
    const tree = treeOf(this.#context, this.#taskId, observed.facts);
    for (const { pid } of await findMembers(tree, system)) {
      const inodes = new Set(socketsOf(pid));
      const found = candidates.find(({ inode }) => inodes.has(inode));
      if (found !== undefined) return { port: found.port, address: found.address, pid };
    }
    const recent = [...this.#strangers].filter(([, seenAt]) => now - seenAt <= strangerMs);
    this.#strangers = new Map([...recent, ...candidates.map(({ inode }) => [inode, now] as const)]);
    return null;
  }
}
