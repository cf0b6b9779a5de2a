import type { Attempts } from './attempts.ts';
import type { HostConnection } from './host-connection.ts';
import type { HostLease } from './lease.ts';
import type { LocalTasks } from './local-tasks.ts';
import type { Records } from './records.ts';

/** What the pieces of a host agent share. */
export interface Parts {
  readonly host: string;
  /** A number that is new at each start of an agent. */
  readonly epoch: string;
  /** Which start of which machine this is: a copy of the machine, and another start, have another one. */
  readonly instance: string;
  /** When the stream was made that the coordinator has; `null`: it has not said so yet. */
  readonly era: () => string | null;
  /** How many attempts may be on their way or running at a time. */
  readonly slots: number;
  /** The host's file of secrets; `null`: it has none. */
  readonly secrets: string | null;
  readonly connection: HostConnection;
  readonly lease: HostLease;
  readonly attempts: Attempts;
  readonly records: Records;
  readonly local: LocalTasks;
  /** The agent goes on. */
  readonly isOpen: () => boolean;
  /** Whether this process still is the host's only agent. */
  readonly isSole: () => boolean;
  /** Compare everything with what the coordinator says, soon. */
  readonly compareSoon: () => void;
  /** Reports a warning of something that continues anyway. @throws the error, when it is a mistake in the program. */
  readonly report: (doing: string, error: unknown) => void;
  /** Does something in the background; what goes wrong with it is told as a warning. */
  readonly inBackground: (doing: string, work: Promise<unknown>) => void;
}
