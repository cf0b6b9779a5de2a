import type { TaskSnapshot } from '../model/snapshot.ts';
import type { Desk } from './desk.ts';
import type { Desks } from './desks.ts';
import { type Outcome, Receipts } from './receipts.ts';

/** So many completions ride on one answer: an answer stays small. */
const mostRiders = 10;

/** A client that was given an MCP task asks for its end; if it has not for so long, the model is told. */
const handedOverMs = 60_000;

/** One client, while it is connected: its sessions, and what it was told of them. */
export class Peer {
  readonly receipts = new Receipts();
  readonly #desks: Desks;
  readonly #used = new Set<Desk>();
  readonly #told = new Set<string>();
  /** MCP tasks of this client, and when it last asked for each (epoch ms). */
  readonly #handedOver = new Map<string, number>();
  readonly #listeners = new Set<(desk: Desk) => void>();

  constructor(desks: Desks) {
    this.#desks = desks;
  }

  /** The sessions that this client has used. */
  get desks(): readonly Desk[] {
    return [...this.#used];
  }

  /** Opens a session for this client. */
  async open(sessionId: string): Promise<Desk> {
    const desk = await this.#desks.open(sessionId);
    if (this.#used.has(desk)) return desk;
    this.#used.add(desk);
    for (const listener of this.#listeners) listener(desk);
    return desk;
  }

  /** Calls back with each session that this client comes to use. */
  onDesk(listener: (desk: Desk) => void): void {
    this.#listeners.add(listener);
  }

  /** This client has a task as an MCP task, and has just asked for it: it will hear of its end that way. */
  handOver(taskId: string): void {
    this.#handedOver.set(taskId, Date.now());
  }

  /** Whether the end of a task is to be told to this client with an answer. */
  untold(desk: Desk, taskId: string): boolean {
    if (this.#told.has(taskId)) return false;
    const asked = this.#handedOver.get(taskId);
    if (asked === undefined) return true;
    const since = Math.max(asked, desk.snapshot(taskId)?.endedAt ?? 0);
    return Date.now() - since > handedOverMs;
  }

  /** The completions that ride on an answer which itself tells of some tasks. */
  riders(desk: Desk, tells: readonly string[]): { found: TaskSnapshot[]; left: number } {
    return desk.owed((taskId) => !tells.includes(taskId) && this.untold(desk, taskId), mostRiders);
  }

  /** Says that the end of a task is being told; what becomes of that decides whether it is told again. */
  tell(desk: Desk, taskIds: readonly string[]): Outcome {
    for (const taskId of taskIds) this.#told.add(taskId);
    return {
      received: () => {
        for (const taskId of taskIds) {
          this.#handedOver.delete(taskId);
          desk.acknowledge(taskId).then(
            () => this.#told.delete(taskId),
            () => undefined,
          );
        }
      },
      lost: () => {
        for (const taskId of taskIds) this.#told.delete(taskId);
      },
    };
  }
}
