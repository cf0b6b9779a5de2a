import type { PatternSource } from './pattern.ts';
import type { ProcessIdentity } from './words.ts';

/** Matches of a pattern in the output are pending for the session: appended by the process that asks for that. */
export interface WatchFact {
  readonly fact: 'watch';
  /** Names the watch within its task; one that is open is not opened again. */
  readonly id: string;
  readonly pattern: PatternSource;
  readonly stream: 'stdout' | 'stderr';
  /** Byte at which the search begins. */
  readonly from: number;
  /** It is over when its first match is acknowledged; absent: it goes on. */
  readonly once?: true;
  readonly at: number;
}

/** The matches of a watch up to an offset are acknowledged; the first that covers a match counts. */
export interface SeenFact {
  readonly fact: 'seen';
  /** The watch. */
  readonly watch: string;
  /** Names this acknowledgement, so that its author finds it again. */
  readonly id: string;
  /** Where the last match that it covers ends; the rest of that line is covered, too. */
  readonly offset: number;
  /** The offset at which the file of the output began for its author. Absent: 0. */
  readonly begins?: number;
  readonly at: number;
}

/** Somebody tells matches of a watch, and nobody else should; void when its process is dead. */
export interface TellingFact {
  readonly fact: 'telling';
  readonly watch: string;
  /** Names this telling. */
  readonly id: string;
  /** Where the lines of its first match and of its last one begin. */
  readonly from: number;
  readonly to: number;
  /** The offset at which the file of the output began for its author. Absent: 0. */
  readonly begins?: number;
  readonly by: ProcessIdentity;
  /** The conversation that is told; absent: it was not said. */
  readonly party?: string;
  /** When a command had printed them that does not wait for whether they are read. Absent: it has not yet, or waits. */
  readonly at?: number;
}

/** The matches of a telling were not told. */
export interface UntellingFact {
  readonly fact: 'untelling';
  readonly watch: string;
  readonly id: string;
}

/** A watch is over: nothing more of it is pending. */
export interface UnwatchFact {
  readonly fact: 'unwatch';
  readonly watch: string;
  /** Nobody removed it: its task has ended, and no match is pending. The task that takes the place of that one has it again. */
  readonly ended?: true;
}
