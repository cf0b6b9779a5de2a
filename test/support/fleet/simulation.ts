import {
  cancel,
  type Decision,
  decide,
  deliver,
  type HostsView,
} from '../../../src/fleet/coordinator/decide.ts';
import { currentOf, isFenced, isOver } from '../../../src/fleet/coordinator/fold.ts';
import { Leases } from '../../../src/fleet/coordinator/leases.ts';
import { Ledger } from '../../../src/fleet/coordinator/ledger.ts';
import { place } from '../../../src/fleet/coordinator/placement.ts';
import type { Assignment, Placement } from '../../../src/fleet/wire/assignment.ts';
import type { Numbered } from '../../../src/fleet/wire/messages.ts';
import { aSpec } from './client.ts';
import { acceptedBy, endedBy } from './host.ts';
import { SimulatedStream } from './simulated-stream.ts';

const leaseMs = 30_000;

/** A coordinator: the real memory and the real decisions; only the bus is not there. */
interface SimulatedCoordinator {
  ledger: Ledger;
  leases: Leases;
  /** How many messages of the stream it has read. */
  read: number;
  /** Decided, and not yet written: it may be stopped for any time in between. */
  pending: Decision[];
  heardAt: Map<string, number>;
}

interface SimulatedHost {
  readonly name: string;
  isReachable: boolean;
  leaseUntil: number;
  offered: Numbered[];
  /** Accepted by it, with the number of its last write. */
  readonly holds: Map<string, Numbered>;
}

interface RunHappening {
  readonly kind: 'run';
  readonly c: number;
  readonly h: number;
  readonly redispatch: number;
  readonly startByMs: number | null;
}

interface CoordinatorHappening {
  readonly kind: 'read' | 'decide' | 'write' | 'restart' | 'cancel' | 'acknowledge' | 'tell';
  readonly c: number;
  readonly n: number;
}

interface HostHappening {
  /** `take`: it is offered what is assigned, and accepts one. `silence`: it is not heard until it is lost. */
  readonly kind:
    | 'beat'
    | 'list'
    | 'take'
    | 'accept'
    | 'accept silently'
    | 'end'
    | 'cut'
    | 'heal'
    | 'silence'
    | 'forge';
  readonly h: number;
  readonly c: number;
  readonly n: number;
}

/** One thing that happens. The numbers choose coordinators, hosts and tasks. */
export type Happening =
  | RunHappening
  | CoordinatorHappening
  | HostHappening
  | { readonly kind: 'pass'; readonly ms: number };

/** Two coordinators, three hosts, of which the last one is hostile, and a clock. */
export class Simulation {
  readonly stream = new SimulatedStream();
  readonly hosts: SimulatedHost[] = ['h1', 'h2', 'h3'].map((name) => ({
    ...{ name, isReachable: true, leaseUntil: 0, offered: [], holds: new Map() },
  }));
  /** Each start of a command: the task, the attempt, the host. */
  readonly starts: { readonly task: string; readonly attempt: number; readonly host: string }[] = [];
  readonly faults: string[] = [];
  now = 1_000_000;
  #coordinators: SimulatedCoordinator[];
  #tasks: string[] = [];
  /** Tasks of which a client was told that nothing has started, and nothing will. */
  readonly #saidNotStarted = new Set<string>();

  constructor() {
    this.#coordinators = [this.#newCoordinator(), this.#newCoordinator()];
    for (const host of this.hosts) this.#beat(host, 0, false);
  }

  happen(one: Happening): void {
    if (one.kind === 'pass') this.now += one.ms;
    else if (one.kind === 'run') this.#run(one);
    else if ('h' in one) this.#atHost(one);
    else this.#atCoordinator(one.kind, one.c, one.n);
  }

  #atHost(one: HostHappening): void {
    const host = this.#host(one.h);
    if (one.kind === 'cut' || one.kind === 'heal') host.isReachable = one.kind === 'heal';
    else if (one.kind === 'silence') this.#silence(host, one.n);
    else if (one.kind === 'forge') this.#forge(one.n);
    else if (one.kind === 'end') this.#end(host, one.n);
    else if (one.kind === 'beat' || one.kind === 'list') this.#beat(host, one.c, one.kind === 'list');
    else {
      if (one.kind === 'take') this.#beat(host, one.c, false);
      this.#accept(host, one.n, one.kind !== 'accept silently');
    }
  }

  #atCoordinator(kind: CoordinatorHappening['kind'], c: number, n: number): void {
    const coordinator = this.#coordinator(c);
    if (kind === 'read') this.#read(coordinator, n);
    else if (kind === 'decide') this.#decide(coordinator);
    else if (kind === 'write') this.#write(coordinator, n);
    else if (kind === 'restart') this.#coordinators[c % 2] = this.#newCoordinator();
    else if (kind === 'cancel') this.#cancel(coordinator, n);
    else if (kind === 'acknowledge') this.#acknowledge(coordinator, n);
    else this.#tell(coordinator, n);
  }

  /** Everybody is back and does what is to be done, for a long time. */
  settle(): void {
    for (const host of this.hosts) host.isReachable = true;
    for (let turn = 0; turn < 40; turn += 1) {
      this.now += 5000;
      for (const host of this.hosts) {
        this.#beat(host, turn, turn % 4 === 0);
        for (let n = host.offered.length; n > 0; n -= 1) this.#accept(host, 0, true);
        for (let n = host.holds.size; n > 0; n -= 1) this.#end(host, 0);
      }
      for (const coordinator of this.#coordinators) {
        this.#read(coordinator, 1_000_000);
        this.#decide(coordinator);
        while (coordinator.pending.length > 0) this.#write(coordinator, 0);
        for (let n = 0; n < this.#tasks.length; n += 1) this.#acknowledge(coordinator, n);
      }
    }
  }

  get tasks(): readonly string[] {
    return this.#tasks;
  }

  /** What the coordinators know that have read everything. */
  memories(): Ledger[] {
    for (const coordinator of this.#coordinators) this.#read(coordinator, 1_000_000);
    return this.#coordinators.map(({ ledger }) => ledger);
  }

  #newCoordinator(): SimulatedCoordinator {
    const leases = new Leases(leaseMs, this.now);
    const coordinator = {
      ledger: new Ledger(),
      leases,
      read: this.stream.messages.length,
      pending: [],
      heardAt: new Map(),
    };
    for (const message of this.stream.kept()) coordinator.ledger.take(message);
    return coordinator;
  }

  #coordinator(c: number): SimulatedCoordinator {
    const found = this.#coordinators[c % 2];
    if (found === undefined) throw new Error('no coordinator');
    return found;
  }

  #host(h: number): SimulatedHost {
    const found = this.hosts[h % 3];
    if (found === undefined) throw new Error('no host');
    return found;
  }

  #viewOf({ ledger, leases }: SimulatedCoordinator): HostsView {
    const placing = (placement: Placement): string | null =>
      place(
        placement,
        this.hosts.map(({ name }) => ({
          ...{ host: name, labels: {}, slots: 2, ...ledger.loadOf(name) },
          closed: leases.isLive(name, this.now) ? null : 'lost',
        })),
      );
    return {
      isLost: (host) => leases.isLost(host, this.now),
      isDraining: () => false,
      place: ({ placement }) => placing(placement),
    };
  }

  #run({ c, h, redispatch, startByMs }: RunHappening): void {
    const coordinator = this.#coordinator(c);
    // A client that has no answer asks again: the same task.
    const isAgain = h % 5 === 4 && this.#tasks.length > 0;
    const number = isAgain ? this.#tasks.length : this.#tasks.length + 1;
    const task = `bgb-${String(number).padStart(12, '0')}`;
    const placement = { host: h % 5 < 3 && h % 2 === 0 ? this.#host(h).name : null, labels: {} };
    const host = this.#viewOf(coordinator).place({ placement } as Assignment);
    if (coordinator.ledger.get(task) !== undefined || host === null) return;
    const assignment: Assignment = {
      ...{
        v: 1,
        host,
        task,
        attempt: 1,
        state: 'assigned',
        spec: aSpec(),
        placement,
        request: task,
        client: 'c',
      },
      startBy: startByMs === null ? null : this.now + startByMs,
      ...{ redispatch, at: this.now, by: 'coordinator', localId: null, end: null, reason: null },
    };
    coordinator.pending.push({ assignment, after: 0, scope: 'task' });
    if (!isAgain) this.#tasks.push(task);
  }

  #read(coordinator: SimulatedCoordinator, n: number): void {
    const until = Math.min(this.stream.messages.length, coordinator.read + n);
    for (const message of this.stream.messages.slice(coordinator.read, until))
      coordinator.ledger.take(message);
    coordinator.read = Math.max(coordinator.read, until);
  }

  #decide(coordinator: SimulatedCoordinator): void {
    const { leases, ledger } = coordinator;
    if (leases.look(this.now)) return;
    for (const entry of ledger.open()) {
      const decision = decide(entry, currentOf(entry), this.#viewOf(coordinator), this.now);
      if (decision === null) continue;
      coordinator.pending.push(decision);
      if (decision.assignment.state === 'unknown') this.#checkLoss(coordinator, decision.assignment.host);
    }
  }

  #checkLoss({ heardAt }: SimulatedCoordinator, host: string): void {
    const heard = heardAt.get(host);
    if (heard !== undefined && this.now - heard <= 1.3 * leaseMs)
      this.faults.push(`${host} is taken as lost ${this.now - heard} ms after it was heard`);
  }

  #write(coordinator: SimulatedCoordinator, n: number): void {
    const [decision] = coordinator.pending.splice(n % Math.max(coordinator.pending.length, 1), 1);
    if (decision === undefined) return;
    const { assignment, after, scope } = decision;
    const stored = this.stream.write(assignment, 'coordinator', after, scope);
    if (stored !== null) coordinator.ledger.take(stored);
    else this.#read(coordinator, 1_000_000);
  }

  #beat(host: SimulatedHost, c: number, isList: boolean): void {
    if (!host.isReachable) return;
    const said = { v: 1, host: host.name, version: '', epoch: 'e', labels: {}, slots: 2, holds: [] };
    for (const { leases, heardAt } of this.#coordinators) {
      leases.hear(said, this.now);
      heardAt.set(host.name, this.now);
    }
    host.leaseUntil = this.now + leaseMs;
    const { ledger } = this.#coordinator(c);
    host.offered = [];
    for (const { seq, assignment } of ledger.openOn(host.name)) {
      const held = host.holds.get(`${assignment.task}.${assignment.attempt}`);
      if (assignment.state === 'assigned' && held === undefined) host.offered.push({ seq, assignment });
      if (isList && held !== undefined && assignment.state === 'unknown') this.#reassert(host, held, seq);
    }
    for (const [key, { assignment }] of host.holds) {
      const now = ledger.heldBy(host.name, assignment.task)?.assignment;
      if (now !== undefined && isFenced(now, assignment.attempt)) host.holds.delete(key);
    }
  }

  /** A host is not heard for longer than it takes to be lost. The bits of `n` say which coordinators write what they decide. */
  #silence(host: SimulatedHost, n: number): void {
    host.isReachable = false;
    for (let turn = 0; turn < 5; turn += 1) {
      this.now += 10_000;
      for (const other of this.hosts) this.#beat(other, n, false);
      for (const [c, coordinator] of this.#coordinators.entries()) {
        this.#decide(coordinator);
        if ((n >> c) % 2 === 0) while (coordinator.pending.length > 0) this.#write(coordinator, 0);
      }
    }
  }

  #reassert(host: SimulatedHost, { assignment }: Numbered, seq: number): void {
    const stored = this.stream.write(acceptedBy(assignment, 'e', this.now), 'host', seq);
    if (stored !== null) host.holds.set(keyOf(assignment), { seq: stored.seq, assignment });
  }

  /** @param isAnswered false: the write is stored, and the host never hears of it. */
  #accept(host: SimulatedHost, n: number, isAnswered: boolean): void {
    const [numbered] = host.offered.splice(n % Math.max(host.offered.length, 1), 1);
    if (numbered === undefined || !host.isReachable || this.now >= host.leaseUntil) return;
    const { seq, assignment } = numbered;
    const stored = this.stream.write(acceptedBy(assignment, 'e', this.now), 'host', seq);
    if (stored === null || !isAnswered) return;
    host.holds.set(keyOf(assignment), { seq: stored.seq, assignment });
    const { task, attempt } = assignment;
    this.starts.push({ task, attempt, host: host.name });
    if (this.#saidNotStarted.has(task)) this.faults.push(`${task} starts, which was said not to`);
  }

  #end(host: SimulatedHost, n: number): void {
    const held = [...host.holds.values()][n % Math.max(host.holds.size, 1)];
    if (held === undefined || !host.isReachable) return;
    const { assignment } = held;
    // A host that lost the race asks for the list, and writes after what it says.
    const known = this.stream.entryOf(assignment.task)?.attempts.get(host.name);
    const seq = known?.assignment.state === 'unknown' ? known.seq : held.seq;
    if (this.stream.write(endedBy(assignment, this.now), 'host', seq) !== null)
      host.holds.delete(keyOf(assignment));
  }

  /** The last host writes what it likes on its own subjects, without a condition. */
  #forge(n: number): void {
    const host = this.#host(2);
    const tasks = this.#tasks.filter((task) => this.stream.entryOf(task)?.attempts.has(host.name));
    const task = tasks[n % Math.max(tasks.length, 1)];
    const held = task && this.stream.entryOf(task)?.attempts.get(host.name);
    if (!held) return;
    const states = ['accepted', 'ended', 'revoked', 'delivered', 'unknown', 'assigned'] as const;
    const state = states[n % states.length] ?? 'ended';
    const attempt = held.assignment.attempt + (n % 3 === 0 ? 1 : 0);
    const by = n % 2 === 0 ? 'host' : 'coordinator';
    const lie = {
      ...endedBy(held.assignment, this.now),
      state,
      by,
      attempt,
      redispatch: 9,
      next: attempt + 1,
    } as const;
    this.stream.write(lie, 'host', null);
  }

  #cancel(coordinator: SimulatedCoordinator, n: number): void {
    const task = this.#tasks[n % Math.max(this.#tasks.length, 1)];
    const entry = task && coordinator.ledger.get(task);
    if (!entry) return;
    const held = currentOf(entry);
    const { state } = held.assignment;
    if (state === 'assigned' || (state === 'revoked' && !isOver(held.assignment)))
      coordinator.pending.push(cancel(entry, held, 'it was cancelled', this.now));
  }

  #acknowledge(coordinator: SimulatedCoordinator, n: number): void {
    const task = this.#tasks[n % Math.max(this.#tasks.length, 1)];
    const entry = task && coordinator.ledger.get(task);
    if (!entry) return;
    const held = currentOf(entry);
    if (isOver(held.assignment) && held.assignment.state !== 'delivered')
      coordinator.pending.push(deliver(entry, held, this.now));
  }

  /** A client asks for a task, and is told. */
  #tell({ ledger }: SimulatedCoordinator, n: number): void {
    const task = this.#tasks[n % Math.max(this.#tasks.length, 1)];
    const held = task && ledger.current(task);
    if (!held || !isOver(held.assignment) || ledger.mayHaveStarted(task)) return;
    this.#saidNotStarted.add(task);
    if (this.starts.some((start) => start.task === task))
      this.faults.push(`${task} is said not to have started, and did`);
  }
}

function keyOf({ task, attempt }: Assignment): string {
  return `${task}.${attempt}`;
}
