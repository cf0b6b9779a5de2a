import type { Assignment, RemoteEnd } from './assignment.ts';

/** One attempt of a task. */
export interface AttemptName {
  readonly task: string;
  readonly attempt: number;
}

/** The last output of a running task. */
export interface KnownTail extends AttemptName {
  /** The size of the whole output. */
  readonly outputBytes: number;
  /** At most 8 KiB. */
  readonly tail: string;
}

/** What a host sends every 5 s: it reports that it is alive, and asks to renew its lease. */
export interface Heartbeat {
  readonly v: number;
  readonly host: string;
  /** The version of outlive there. */
  readonly version: string;
  /** A random number, new at each start of the agent. It distinguishes two agents that have the same credential. */
  readonly epoch: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly slots: number;
  /**
   * Accepted attempts without a stored end, at most 1,000. The next heartbeat names the next 1,000.
   */
  readonly holds: readonly AttemptName[];
  /**
   * Ends that are stored and, as far as the host knows, not acknowledged, at most 1,000 in the same way. Absent: none.
   */
  readonly owes?: readonly AttemptName[];
  /** Counts the heartbeats of the agent. It reveals a copy of the agent that has its memory. Absent: an older agent. */
  readonly beat?: number;
  /** The last output of some running tasks, at most 8, in turns. Absent: there is nothing new. */
  readonly tails?: readonly KnownTail[];
  /** When the servers created the stream that has the ends in `owes`. Absent: the host does not know it yet. */
  readonly era?: string;
}

/** An assignment with the sequence number of its message, which the next write must name. */
export interface Numbered {
  readonly seq: number;
  readonly assignment: Assignment;
}

/**
 * The answer to a heartbeat or to a request for the list, signed by the coordinator. The signed subject is the inbox
 * that the host created for this one request. So the answer is new, and a host with a wrong clock can accept it.
 */
export interface Lease {
  readonly v: number;
  readonly host: string;
  readonly epoch: string;
  /**
   * In milliseconds. The host counts from before its request, with a clock that also runs while the machine is
   * suspended.
   */
  readonly leaseMs: number;
  /** The host must not accept new tasks. */
  readonly cordoned: boolean;
  /**
   * Attempts that are assigned and not accepted, and attempts in `holds` that are `unknown`. In the answer to a request
   * for the list: all attempts that have not ended on the host.
   */
  readonly assignments: readonly Numbered[];
  /** Attempts in `holds` that no longer belong to the host, because they were revoked while it was away. */
  readonly fenced: readonly AttemptName[];
  /** Ends in `owes` that were acknowledged, in case the acknowledgement did not reach the host. Absent: none. */
  readonly acknowledged?: readonly AttemptName[];
  /**
   * When the servers created the stream of assignments. A new value: the old data is lost. Absent: an older
   * coordinator.
   */
  readonly era?: string;
  /** For how many milliseconds the coordinator has heard no other agent of this host. Absent: an older coordinator. */
  readonly soleMs?: number;
  /** Some assignments did not fit into this message. They come when the host has accepted these. Absent: all fit. */
  readonly more?: boolean;
}

/** What a host publishes to DONE when an attempt has ended. */
export interface EndNotice extends AttemptName {
  readonly v: number;
  readonly host: string;
  readonly session: string;
  readonly name: string | null;
  /** The public key of the client that requested the task; `null`: the host no longer knows it. */
  readonly client: string | null;
  /** The task's id in the host's own store; `null`: the task could not start there. */
  readonly localId: string | null;
  readonly end: RemoteEnd;
  /** Why the task could not start, in words; `null`: it started. */
  readonly reason: string | null;
}

/** A piece of output, as the host publishes it for followers. */
export interface OutputChunk {
  readonly v: number;
  /** The offset of the first byte. */
  readonly offset: number;
  /** At most 64 KiB, in base64. */
  readonly bytes: string;
  /** No output follows. */
  readonly last: boolean;
}

/** The answer to a request that was refused. */
export interface Refusal {
  readonly v: number;
  readonly code: string;
  readonly message: string;
}
