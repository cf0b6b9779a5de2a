import type { AttemptName } from '../../fleet/wire/messages.ts';
import type { RemoteHost, RemoteTask } from '../../fleet/wire/operations.ts';
import type { TaskSnapshot } from '../../model/snapshot.ts';
import type { TerminalSize } from '../../model/words.ts';
import type { Screen } from '../../terminal/screen.ts';

/** A stretch of the output of a remote task. Offsets count bytes as the command wrote them. */
export interface AgentStretch {
  readonly offset: number;
  readonly nextOffset: number;
  /** Of the whole output. */
  readonly size: number;
  readonly bytes: Buffer;
}

/** A task of a fleet, as far as the tools use it: a FleetTask of `outlive/fleet` is one. */
export interface AgentFleetTask {
  /** As it was last reported. */
  readonly known: RemoteTask;
  show(): Promise<RemoteTask>;
  inspect(): Promise<TaskSnapshot>;
  wait(options?: {
    readonly until?: 'accepted' | 'ended';
    readonly timeoutMs?: number;
    readonly abortSignal?: AbortSignal;
  }): Promise<RemoteTask | null>;
  read(options?: { readonly offset?: number; readonly maxBytes?: number }): Promise<AgentStretch>;
  follow(options?: {
    offset?: number;
    abortSignal?: AbortSignal;
  }): AsyncGenerator<{ readonly offset: number; readonly bytes: Buffer }>;
  send(
    data: string | Uint8Array,
    options?: { press?: readonly string[]; eof?: boolean; paste?: boolean },
  ): Promise<void>;
  screen(): Promise<Screen>;
  kill(options?: { graceMs?: number | null }): Promise<RemoteTask>;
}

/** How a task is started on a host: see `FleetSpawnOptions` of `outlive/fleet`. */
interface AgentSpawnOptions {
  readonly on: string;
  readonly session: string;
  readonly key: string;
  readonly name?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs: number | null;
  readonly stdin?: 'none' | 'open';
  readonly tty?: TerminalSize;
  readonly acceptMs: number;
}

/**
 * A fleet, as far as the tools use it: `openFleet` of `outlive/fleet` returns one. It is declared again here, so that
 * users of the tools without a fleet do not need the types of the NATS packages.
 */
export interface AgentFleet {
  readonly isClosed: boolean;
  hosts(): Promise<readonly RemoteHost[]>;
  spawn(command: string, options: AgentSpawnOptions): Promise<AgentFleetTask>;
  tasks(options: { readonly session?: string }): AsyncIterable<RemoteTask>;
  task(reference: string): Promise<AgentFleetTask>;
  completions(
    session: string,
    options: { readonly forMs: number; readonly most: number },
  ): Promise<readonly RemoteTask[]>;
  acknowledge(session: string, ends: readonly AttemptName[]): Promise<readonly AttemptName[]>;
}

/** Opens the fleet when it is first needed. The program that provides it closes it. */
export type FleetSource = () => Promise<AgentFleet>;
