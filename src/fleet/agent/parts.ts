import type { Attempts } from './attempts.ts';
import type { HostConnection } from './host-connection.ts';
import type { HostLease } from './lease.ts';
import type { LocalTasks } from './local-tasks.ts';
import type { Records } from './records.ts';

/** What the parts of a host agent share. */
export interface Parts {
  readonly host: string;
  /** A random number, new at each start of an agent. */
  readonly epoch: string;
  /**
   * Names this boot of the machine and the agent's folder. A copy of the machine, and another boot, have another value.
   */
  readonly instance: string;
  /** When the servers created the coordinator's stream; `null`: it is not known yet. */
  readonly era: () => string | null;
  /** How many attempts may be starting or running at a time. */
  readonly slots: number;
  /** The path of the host's secrets file; `null`: it has none. */
  readonly secrets: string | null;
  readonly connection: HostConnection;
  readonly lease: HostLease;
  readonly attempts: Attempts;
  readonly records: Records;
  readonly local: LocalTasks;
  /** Whether the agent is open. */
  readonly isOpen: () => boolean;
  /** Whether this process is still the host's only agent. */
  readonly isSole: () => boolean;
  /** Soon compares everything with what the coordinator says. */
  readonly compareSoon: () => void;
  /** Reports an error as a warning. @throws the error if it is a mistake in the program. */
  readonly report: (doing: string, error: unknown) => void;
  /** Does work in the background. Its errors become warnings. */
  readonly inBackground: (doing: string, work: Promise<unknown>) => void;
}
