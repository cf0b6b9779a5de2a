import type { ProcessIdentity } from './words.ts';

/** A consumer handles the completion and nobody else should; void when its process is dead. */
export interface ClaimFact {
  readonly fact: 'claim';
  /** Of a server, its connection to one client. */
  readonly id: string;
  readonly by: ProcessIdentity;
  /** The conversation that is being told of the end; absent: it was not said. */
  readonly party?: string;
}

/** The completion was printed to the end, by a command that does not wait for whether it is read. */
export interface ToldFact {
  readonly fact: 'told';
  /** That of its claim. */
  readonly id: string;
  readonly at: number;
}

/** A consumer gives its claim back. */
export interface UnclaimFact {
  readonly fact: 'unclaim';
  readonly id: string;
}

/** The completion is acknowledged; the first counts. */
export interface DeliveredFact {
  readonly fact: 'delivered';
  readonly id: string;
  readonly at: number;
}
