import type { TerminalSize } from '../../model/words.ts';
import type { Assignment, Placement, RemoteEnd, RemoteSpec } from './assignment.ts';
import type { AttemptName, Refusal } from './messages.ts';
import type { TypedInput, ViewMessage } from './terminal.ts';

/** The answer of a coordinator, signed for the client that asked. */
export interface Answer<Value = unknown> {
  readonly v: number;
  /** When the stream of assignments was made. Another one than before: its data was lost meanwhile. */
  readonly era: string;
  /** What was asked for. Absent: it was refused. */
  readonly value?: Value;
  /** Why it was not done. Absent: it was. */
  readonly refusal?: Refusal;
}

/** `op.run`. The same request of the same client gives the same task, as long as the fleet remembers it: 7 days after its end was acknowledged. */
export interface RunRequest {
  readonly v: number;
  /** An id that the client makes: 1 to 100 characters. */
  readonly request: string;
  readonly spec: RemoteSpec;
  readonly placement: Placement;
  /** After this many milliseconds no host may accept it; `null`: no limit. */
  readonly startByMs: number | null;
  readonly redispatch: number;
  /** The era of an earlier answer: in another one nothing starts, as it is not known what an earlier try has done. */
  readonly era: string | null;
  /** The answer comes when the host has accepted it, or it will not, or after so many milliseconds: at most 60,000. Absent: 0. */
  readonly acceptMs?: number;
}

/** `op.list`. A page may have fewer than was asked for, where these are large; after the last one comes an empty one. */
export interface ListRequest {
  readonly v: number;
  /** Only of this session; `null`: of all. */
  readonly session: string | null;
  /** Only on this host. */
  readonly host: string | null;
  /** Only ids after this one: the list comes in pages. */
  readonly after: string | null;
  /** How many at most: 1 to 500. */
  readonly most: number;
}

/** `op.show`. */
export interface ShowRequest {
  readonly v: number;
  readonly task: string;
}

/** `op.wait`. The answer comes when the task has come so far, when it will not, when its host is lost, or in time. */
export interface WaitRequest extends ShowRequest {
  readonly until: 'accepted' | 'ended';
  /** At most 60,000. */
  readonly waitMs: number;
}

/** `op.kill`: what no host has accepted is revoked; what one has, its host stops. */
export interface KillRequest extends ShowRequest {
  /** Between SIGTERM and SIGKILL; `null`: as the host has it by default. */
  readonly graceMs: number | null;
}

/** `op.completions`: what has ended in a session and is not acknowledged. */
export interface CompletionsRequest {
  readonly v: number;
  readonly session: string;
  /** 1 to 100. */
  readonly most: number;
  /** How long to wait for the first, at most 60,000. */
  readonly waitMs: number;
}

/** `op.acknowledge`: the consumer has these. */
export interface AcknowledgeRequest {
  readonly v: number;
  readonly session: string;
  readonly ends: readonly AttemptName[];
}

/** `op.cordon`, `.drain`, `.remove` and `.forget`. */
export interface HostRequest {
  readonly v: number;
  readonly host: string;
  /** Of cordon and drain: false takes it back. Else true. */
  readonly on: boolean;
}

/** A task of the fleet, as clients are told of it. */
export interface RemoteTask {
  readonly host: string;
  readonly task: string;
  readonly attempt: number;
  readonly state: Assignment['state'];
  /** Whether any attempt of it was accepted by a host. Only where none was it is proved that nothing has started. */
  readonly mayHaveStarted: boolean;
  /** The attempt that is to follow on another host; `null`: none is. */
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
   * Of one that runs, or may: the end of its output, as its host told it last. `null`: it has told nothing, the task has ended,
   * or this is a row of a list. Absent: an older coordinator has answered.
   */
  readonly lastSeen?: LastSeen | null;
}

/** What a coordinator knows of an output while the host is out of reach. */
export interface LastSeen {
  /** At most 8 KiB. */
  readonly tail: string;
  /** Of the whole output, as it was then. */
  readonly outputBytes: number;
  /** How long ago the host has said so, in milliseconds; `null`: when the task had ended, so nothing was written since. */
  readonly agoMs: number | null;
}

/** A host of the fleet, as clients are told of it. */
export interface RemoteHost {
  readonly host: string;
  /** `late`: its lease is over, and it is not yet taken as lost. */
  readonly state: 'live' | 'late' | 'lost';
  readonly cordoned: boolean;
  readonly draining: boolean;
  readonly removed: boolean;
  /** The version of outlive there. */
  readonly version: string;
  /** Why it gets no lease though it is heard, in words. */
  readonly refused: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly slots: number;
  readonly waiting: number;
  readonly running: number;
  /** Milliseconds since it was heard; `null`: never by this coordinator. */
  readonly silentMs: number | null;
}

/** `op.read`: a stretch of the output, from the host. */
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
  /** Where to begin; `null`: with what is written from now on. */
  readonly offset: number | null;
  /** 1 to 60,000. */
  readonly forMs: number;
}
