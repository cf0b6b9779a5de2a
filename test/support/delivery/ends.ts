import type { Claim } from '../../../src/engine/completions/claim.ts';
import { ClaimList } from '../../../src/model/claims.ts';
import type { TaskSnapshot } from '../../../src/model/snapshot.ts';
import type { Starter } from '../../../src/model/starter.ts';
import type { ProcessIdentity } from '../../../src/model/words.ts';
import type { ClientSession } from '../../../src/tools/delivery/client-session.ts';
import type { Start } from '../../../src/tools/delivery/hearers.ts';

/** A task in the fake store: what its log would say. */
export interface FakeTask {
  readonly taskId: string;
  readonly start: Start;
  endedAt: number | null;
  readonly claims: ClaimList;
  delivered: boolean;
}

/** Processes and tasks, on clocks that stand still until a test moves them. */
export class FakeStore {
  epochMs = 1_800_000_000_000;
  monoMs = 1_000_000;
  readonly tasks: FakeTask[] = [];
  readonly #alive = new Set<number>();
  #lastPid = 100;

  readonly clock = () => ({ epochMs: this.epochMs, monoMs: this.monoMs });

  begin(): number {
    this.#lastPid += 1;
    this.#alive.add(this.#lastPid);
    return this.#lastPid;
  }

  end(pid: number): void {
    this.#alive.delete(pid);
  }

  lives(pid: number): boolean {
    return this.#alive.has(pid);
  }

  identity(pid: number): ProcessIdentity {
    return { pid, start: pid * 10, boot: 'boot', pidNamespace: 'pid:[1]', host: 'host' };
  }

  spawn(server: number, starter: Starter): FakeTask {
    const taskId = `bgb-${this.tasks.length.toString(16).padStart(12, '0')}`;
    const start = { starter, by: this.identity(server), monoMs: this.monoMs };
    const task = { taskId, start, endedAt: null, claims: new ClaimList(), delivered: false };
    this.tasks.push(task);
    return task;
  }

  find(taskId: string): FakeTask | undefined {
    return this.tasks.find((task) => task.taskId === taskId);
  }

  claim(task: FakeTask, id: string, server: number): Claim {
    if (task.endedAt === null || task.delivered) return { result: 'not_pending', earlier: 0 };
    const holder = (): string | undefined => task.claims.held.find(({ by }) => this.lives(by.pid))?.id;
    if (holder() === undefined) task.claims.add({ fact: 'claim', id, by: this.identity(server) });
    const earlier = Math.max(0, task.claims.made.lastIndexOf(id));
    return { result: holder() === id ? 'ours' : 'taken', earlier };
  }

  /** A session of the store, as a server process has it open. */
  session(id: string, server: number): ClientSession {
    const mine = (): FakeTask[] => this.tasks;
    const session = {
      session: { id },
      deliveries: {
        get live() {
          return mine()
            .filter(({ endedAt }) => endedAt === null)
            .map(({ taskId }) => taskId);
        },
        processHere: (pid: number) => (this.lives(pid) ? this.identity(pid) : null),
        mayLive: ({ pid }: ProcessIdentity) => this.lives(pid),
        claim: (taskId: string, { id: claimId }: { id: string }) =>
          this.claim(this.find(taskId) as FakeTask, claimId, server),
        unclaim: (taskId: string, claimId: string) =>
          this.find(taskId)?.claims.add({ fact: 'unclaim', id: claimId }),
      },
      startOf: (taskId: string) => this.find(taskId)?.start ?? null,
      *starts() {
        for (const { start } of mine()) yield start;
      },
      snapshot: (taskId: string) => this.#snapshot(taskId),
      pending: (wanted: (taskId: string) => boolean, most: number) => {
        const pending = mine().filter(({ endedAt, delivered }) => endedAt !== null && !delivered);
        const all = pending.filter(({ taskId }) => wanted(taskId));
        const found = all.slice(0, most).map(({ taskId }) => this.#snapshot(taskId));
        return { found, left: all.length - found.length };
      },
      acknowledge: async (taskId: string) => {
        const task = this.find(taskId);
        if (task !== undefined) task.delivered = true;
        return true;
      },
    };
    return session as unknown as ClientSession;
  }

  #snapshot(taskId: string): TaskSnapshot | null {
    const task = this.find(taskId);
    if (task === undefined) return null;
    const fate = { status: task.endedAt === null ? 'running' : 'completed', statusReason: null, exitCode: 0 };
    const rest = {
      name: null,
      command: 'true',
      exitSignal: null,
      durationMs: 1,
      leftovers: [],
      lastSeenAt: null,
    };
    const output = { droppedBytes: 0, erasedBytes: 0, preview: '', truncated: false, path: '/o', bytes: 0 };
    const { endedAt, delivered } = task;
    return { taskId, ...fate, ...rest, endedAt, delivered, output } as unknown as TaskSnapshot;
  }
}
