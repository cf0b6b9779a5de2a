import type { Assignment } from './assignment.ts';

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
  /** The attempts that it holds: accepted, and not yet ended and stored. */
  readonly holds: readonly { readonly task: string; readonly attempt: number }[];
}

/** An assignment with the sequence number of its message, which the next write has to name. */
export interface Numbered {
  readonly seq: number;
  readonly assignment: Assignment;
}

/** The answer to a heartbeat and to a request for the list, signed by the coordinator. */
export interface Lease {
  readonly v: number;
  readonly host: string;
  readonly epoch: string;
  /** Milliseconds, counted by the host from before it asked, by the clock that counts suspension. */
  readonly leaseMs: number;
  /** Nothing new is to start there. */
  readonly cordoned: boolean;
  /** What is assigned and not accepted; of the list, all that has not ended there. */
  readonly assignments: readonly Numbered[];
  /** Held attempts that are no longer the host's: revoked while it was away. */
  readonly fenced: readonly { readonly task: string; readonly attempt: number }[];
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
