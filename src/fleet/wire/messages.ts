import type { Assignment, RemoteEnd } from './assignment.ts';

/** One attempt of a task. */
export interface AttemptName {
  readonly task: string;
  readonly attempt: number;
}

/** The end of the output of a running task. */
export interface KnownTail extends AttemptName {
  /** Of the whole output. */
  readonly outputBytes: number;
  /** At most 8 KiB. */
  readonly tail: string;
}

/** What a host asks with, each 5 s: it is there, and wants its lease to go on. */
export interface Heartbeat {
  readonly v: number;
  readonly host: string;
  /** The version of outlive there. */
  readonly version: string;
  /** A number that a host agent takes anew at each of its starts: two agents with one credential are told apart by it. */
  readonly epoch: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly slots: number;
  /** Attempts that it holds: accepted, and not yet ended and stored; at most 1,000. Of more, each heartbeat names the next ones. */
  readonly holds: readonly AttemptName[];
  /** Ends that are stored and that no consumer has acknowledged, as far as the host has heard; at most 1,000, in the same way. Absent: none. */
  readonly owes?: readonly AttemptName[];
  /** Grows with each heartbeat of an agent: a copy of it, with its memory, is told apart by it. Absent: an older agent. */
  readonly beat?: number;
  /** The ends of the outputs of some running tasks, at most 8, in turns. Absent: none is new. */
  readonly tails?: readonly KnownTail[];
  /** When the stream was made that has the ends which it owes. Absent: it has not heard. */
  readonly era?: string;
}

/** An assignment with the sequence number of its message, which the next write has to name. */
export interface Numbered {
  readonly seq: number;
  readonly assignment: Assignment;
}

/**
 * The answer to a heartbeat and to a request for the list, signed by the coordinator. The subject that is signed is the inbox to which
 * it goes, which the host has made for this one request: so it is new, and a host with a wrong clock takes it.
 */
export interface Lease {
  readonly v: number;
  readonly host: string;
  readonly epoch: string;
  /** Milliseconds, counted by the host from before it asked, by the clock that counts suspension. */
  readonly leaseMs: number;
  /** Nothing new is to start there. */
  readonly cordoned: boolean;
  /** What is assigned and not accepted, and what the host holds and is unknown; of the list, all that has not ended there. */
  readonly assignments: readonly Numbered[];
  /** Held attempts that are no longer the host's: revoked while it was away. */
  readonly fenced: readonly AttemptName[];
  /** Of what the host owes: what was acknowledged, for an acknowledgement that did not reach the host. Absent: nothing. */
  readonly acknowledged?: readonly AttemptName[];
  /** When the stream of assignments was made: in another one everything that there was is lost. Absent: an older coordinator. */
  readonly era?: string;
  /** For how many milliseconds no other agent of this host was heard, as far as is known. Absent: an older coordinator. */
  readonly soleMs?: number;
  /** Not all assignments had room in this message: ask again when these are accepted. Absent: they had. */
  readonly more?: boolean;
}

/** What a host publishes to DONE when an attempt has ended. */
export interface EndNotice extends AttemptName {
  readonly v: number;
  readonly host: string;
  readonly session: string;
  readonly name: string | null;
  /** The public key of the client that asked for it; `null`: the host no longer knows it. */
  readonly client: string | null;
  /** The task's id in the host's own store; `null`: it could not be started there. */
  readonly localId: string | null;
  readonly end: RemoteEnd;
  /** Why it could not be started, in words; `null`: it was. */
  readonly reason: string | null;
}

/** A piece of output, on its way to those who follow. */
export interface OutputChunk {
  readonly v: number;
  /** The position of its first byte. */
  readonly offset: number;
  /** At most 64 KiB, in base64. */
  readonly bytes: string;
  /** The output has ended with it. */
  readonly last: boolean;
}

/** How a request ended that was not done. */
export interface Refusal {
  readonly v: number;
  readonly code: string;
  readonly message: string;
}
