import type { TerminalSize } from '../../model/words.ts';
import type { Assignment, Placement, RemoteEnd, RemoteSpec } from './assignment.ts';
import type { AttemptName, Refusal } from './messages.ts';
import type { TypedInput, ViewMessage } from './terminal.ts';

/** The answer of a coordinator, signed for the client that asked. */
export interface Answer<Value = unknown> {
  readonly v: number;
  /** When the servers created the stream of assignments. A new value: the old data is lost. */
  readonly era: string;
  /** The requested value. Absent: the request was refused. */
  readonly value?: Value;
  /** Why the request was refused. Absent: it was not. */
  readonly refusal?: Refusal;
}

/** `op.run`. The same request of the same client gives the same task until 7 days after its end was acknowledged. */
export interface RunRequest {
  readonly v: number;
  /** An id that the client makes: 1 to 100 characters. */
  readonly request: string;
  readonly spec: RemoteSpec;
  readonly placement: Placement;
  /** After this many milliseconds no host may accept the task; `null`: no limit. */
  readonly startByMs: number | null;
  readonly redispatch: number;
  /** The era of an earlier answer. In another era nothing starts, because an earlier try may have started the task. */
  readonly era: string | null;
  /** How long the answer may wait for a host to accept the task, in milliseconds, at most 60,000. Absent: 0. */
  readonly acceptMs?: number;
}

/** `op.list`. A page of large tasks may have fewer than `most`. An empty page marks the end. */
export interface ListRequest {
  readonly v: number;
  /** Only tasks of this session; `null`: of all sessions. */
  readonly session: string | null;
  /** Only tasks on this host; `null`: on all hosts. */
  readonly host: string | null;
  /** Only tasks whose id comes after this one: the last id of the previous page; `null`: the first page. */
  readonly after: string | null;
  /** The most tasks in the page: 1 to 500. */
  readonly most: number;
}

/** `op.show`. */
export interface ShowRequest {
  readonly v: number;
  readonly task: string;
}

/**
 * `op.wait`. The coordinator answers when the task has that state or cannot get it, its host is lost, or the time is
 * up.
 */
export interface WaitRequest extends ShowRequest {
  readonly until: 'accepted' | 'ended';
  /** In milliseconds, at most 60,000. */
  readonly waitMs: number;
}

/** `op.kill`. The coordinator revokes a task that no host has accepted. Otherwise the host stops it. */
export interface KillRequest extends ShowRequest {
  /** Milliseconds between SIGTERM and SIGKILL; `null`: the host's default. */
  readonly graceMs: number | null;
}

/** `op.completions`: the tasks of a session that have ended and are not acknowledged. */
export interface CompletionsRequest {
  readonly v: number;
  readonly session: string;
  /** 1 to 100. */
  readonly most: number;
  /** How long to wait for the first, in milliseconds, at most 60,000. */
  readonly waitMs: number;
}

/** `op.acknowledge`: the consumer has these ends. */
export interface AcknowledgeRequest {
  readonly v: number;
  readonly session: string;
  readonly ends: readonly AttemptName[];
}

/** `op.cordon`, `.drain`, `.remove` and `.forget`. */
export interface HostRequest {
  readonly v: number;
  readonly host: string;
  /** `false` undoes cordon or drain. Otherwise `true`. */
  readonly on: boolean;
}

/** A task of the fleet, as clients see it. */
export interface RemoteTask {
  readonly host: string;
  readonly task: string;
  readonly attempt: number;
  readonly state: Assignment['state'];
  /** Whether a host has accepted any attempt of it. Only if none has, it is certain that the task did not start. */
  readonly mayHaveStarted: boolean;
  /** The number of the next attempt, on another host; `null`: no attempt follows. */
  readonly next: number | null;
  readonly spec: RemoteSpec;
  readonly placement: Placement;
  readonly client: string;
  readonly request: string;
  readonly startBy: number | null;
  readonly redispatch: number;
  readonly at: number;
  readonly localId: string | null;
  readonly end: RemoteEnd | null;
  readonly reason: string | null;
  /**
   * The last output of a task that runs or may run, as its host last reported it. `null`: the host has reported none,
   * the task has ended, or this is a row of a list. Absent: an older coordinator answered.
   */
  readonly lastSeen?: LastSeen | null;
}

/**
 * Whether a task has ended, or will never start. A task on a lost host has not, because it may run; nor has a task that
 * a host has given back, while it waits for another host.
 */
export function isFinal({ state, next }: Pick<RemoteTask, 'state' | 'next'>): boolean {
  return state === 'ended' || state === 'delivered' || (state === 'revoked' && next === null);
}

/** What the coordinator knows about the output of a task when the host does not answer. */
export interface LastSeen {
  /** At most 8 KiB. */
  readonly tail: string;
  /** The size of the whole output at that time. */
  readonly outputBytes: number;
  /**
   * How long ago the host reported this, in milliseconds; `null`: after the task had ended, so this is the final
   * output.
   */
  readonly agoMs: number | null;
}

/** A host of the fleet, as clients see it. */
export interface RemoteHost {
  readonly host: string;
  /** `late`: its lease has expired, but it does not count as lost yet. */
  readonly state: 'live' | 'late' | 'lost';
  readonly cordoned: boolean;
  readonly draining: boolean;
  readonly removed: boolean;
  /** The version of outlive there. */
  readonly version: string;
  /** Why the coordinator refuses it a lease although it hears the host, in words; `null`: it does not. */
  readonly refused: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly slots: number;
  readonly waiting: number;
  readonly running: number;
  /** Milliseconds since its last heartbeat; `null`: this coordinator has heard none. */
  readonly silentMs: number | null;
}

/** `op.read`: a range of the output, from the host. */
export interface ReadRequest extends ShowRequest {
  readonly offset: number;
  /** 1 to 256 KiB. */
  readonly maxBytes: number;
}

/** `op.send`: input for the command. */
export type SendRequest = ShowRequest & TypedInput;

/** `op.resize`: another size for the terminal. */
export type ResizeRequest = ShowRequest & TerminalSize;

/** `op.view`: a person at the terminal. */
export type ViewRequest = ShowRequest & ViewMessage;

/** `op.follow`: the host publishes the output for a while. */
export interface FollowRequest extends ShowRequest {
  /** Where to begin; `null`: with output that is written from now on. */
  readonly offset: number | null;
  /** In milliseconds, 1 to 60,000. */
  readonly forMs: number;
}
