import type { TerminalSize } from '../../model/words.ts';

/** The state of an assignment. `unknown`: its host is lost, and the task may have started there. */
export type AssignmentState = (typeof assignmentStates)[number];
export const assignmentStates = [
  ...['assigned', 'accepted', 'ended', 'delivered', 'revoked', 'unknown'],
] as const;

/**
 * Who wrote a state. What a host writes is a claim: the coordinator accepts it only if the previous state allows it.
 */
export type Writer = 'coordinator' | 'host';

/**
 * The allowed transitions. `null` is the state of an attempt that nobody has assigned.
 * - A host that comes back reports what happened to an attempt that was unknown.
 * - `accepted` follows `accepted` when a client stops the attempt: the coordinator notes the kill.
 * - The coordinator revokes an accepted attempt only if the client allowed another start, or if the host is forgotten.
 * - A revoked attempt that names a next attempt is revoked again when that one will not follow.
 * - If the servers lose all their data, hosts report again what runs and what has ended. These reports follow `null`.
 */
const arrows: readonly (readonly [from: AssignmentState | null, to: AssignmentState, by: Writer])[] = [
  [null, 'assigned', 'coordinator'],
  ['assigned', 'accepted', 'host'],
  ['assigned', 'revoked', 'coordinator'],
  ['accepted', 'ended', 'host'],
  ['accepted', 'accepted', 'coordinator'],
  ['accepted', 'unknown', 'coordinator'],
  ['accepted', 'revoked', 'coordinator'],
  ['unknown', 'accepted', 'host'],
  ['unknown', 'ended', 'host'],
  ['unknown', 'revoked', 'coordinator'],
  ['ended', 'delivered', 'coordinator'],
  ['revoked', 'revoked', 'coordinator'],
  ['revoked', 'delivered', 'coordinator'],
  [null, 'accepted', 'host'],
  [null, 'ended', 'host'],
];

/** Whether that writer may change an assignment from one state to another. */
export function mayBecome(from: AssignmentState | null, to: AssignmentState, by: Writer): boolean {
  return arrows.some((arrow) => arrow[0] === from && arrow[1] === to && arrow[2] === by);
}

/** The request for a remote task, as a client made it. It has no values from the host's environment. */
export interface RemoteSpec {
  /** A command for the shell, or a program and its arguments. */
  readonly command: string | readonly string[];
  readonly session: string;
  readonly name: string | null;
  readonly labels: Readonly<Record<string, string>>;
  /** A path on the host; `null`: the home folder of its user. */
  readonly cwd: string | null;
  /** The variables that the client named. The command gets no other variables of the client. */
  readonly env: Readonly<Record<string, string>>;
  /** For each variable, the name of its value in the host's secrets file. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly timeoutMs: number | null;
  readonly stdin: 'none' | 'open';
  /** The size of the task's terminal. `null` or absent: it has none. */
  readonly tty?: TerminalSize | null;
}

/** Where a task may run. */
export interface Placement {
  /** The name of a host; `null`: any host with these labels. */
  readonly host: string | null;
  readonly labels: Readonly<Record<string, string | null>>;
}

/** How a task ended, according to the host's store. */
export interface RemoteEnd {
  readonly status: 'completed' | 'failed' | 'killed' | 'timed_out' | 'lost';
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly endedAt: number;
  /** The last output, at most 8 KiB. */
  readonly tail: string;
  readonly outputBytes: number;
}

/** The last message on the subject of an assignment: everything that the fleet stores about this attempt. */
export interface Assignment {
  readonly v: number;
  readonly host: string;
  readonly task: string;
  /** From 1. The command sees it as OUTLIVE_ATTEMPT. */
  readonly attempt: number;
  /** 32 random hexadecimal digits, new for each attempt: see {@link messageIdOf}. */
  readonly nonce?: string;
  /**
   * When the servers created the stream in which the attempt was assigned. If the assignment is gone from that same
   * stream, no data was lost: the consumer has the end, and the host does not report it again. Absent: an older
   * coordinator assigned it.
   */
  readonly era?: string;
  readonly state: AssignmentState;
  readonly spec: RemoteSpec;
  readonly placement: Placement;
  /** The id of the client's request. The same id gives the same task. */
  readonly request: string;
  /** The public key of the client. */
  readonly client: string;
  /** After this time, in epoch milliseconds of the coordinator's clock, no host may accept it; `null`: no limit. */
  readonly startBy: number | null;
  /** How many times the task may start again on another host when its host is lost; 0: never. */
  readonly redispatch: number;
  /** When the message was written, in epoch milliseconds of the writer's clock. */
  readonly at: number;
  readonly by: Writer;
  /**
   * The name of the acceptance: the epoch of the agent, a dot, and a random part that is new for each acceptance. If
   * two agents have the same credential, only the agent that made this acceptance starts the task, even if one is a
   * copy of the other with its memory. Absent or `null`: no agent has accepted the attempt.
   */
  readonly epoch?: string | null;
  /** The task's id in the host's own store, once it has started. */
  readonly localId: string | null;
  readonly end: RemoteEnd | null;
  /** Why the attempt was revoked, became unknown or could not start, in words. */
  readonly reason: string | null;
  /** For a revoked attempt: whether a host had accepted it. Only if none had, it is certain that it did not start. */
  readonly accepted?: boolean;
  /**
   * A client stopped it after a host had accepted it: if that host is lost, the task does not start again. Absent:
   * false.
   */
  readonly killed?: boolean;
  /** Whether an earlier attempt of the task was accepted. */
  readonly acceptedBefore?: boolean;
  /** For a revoked attempt: the number of the next attempt, on another host; `null`: no attempt follows. */
  readonly next?: number | null;
  /**
   * The coordinator's signature over the fields that do not change: see warrant.ts. The host copies it. If the stream
   * is lost, the signature proves that the coordinator assigned this attempt to the host.
   */
  readonly warrant?: string;
}

/** The key with which a host spawns an attempt. Because of it the attempt starts at most once. */
export function spawnKeyOf({ task, attempt }: Pick<Assignment, 'task' | 'attempt'>): string {
  return `fleet.${task}.${attempt}`;
}

/**
 * The id of the message that writes a state. JetStream stores a message with the same id only once. It compares the id
 * with the ids of all messages in the stream, and a host chooses the ids of its own messages. So another host could use
 * an id in advance, and the server would tell the real writer that its message is stored, although it is not. The nonce
 * prevents this: no other host knows it. For `accepted` the id has the name of the acceptance. So the answer
 * `duplicate` never makes an agent take the write of another agent for its own. When a writer repeats a write that was
 * stored, the server answers `duplicate`. A server that runs alone can also answer that another message is the last
 * one. The writer must then look up which message that is.
 * @param after the sequence number that the write follows. An attempt can come to the same state twice (accepted,
 *   unknown, accepted). Without this number the server would take the second write for a copy of the first.
 */
export function messageIdOf(
  { task, attempt, state, epoch, nonce }: Pick<Assignment, 'task' | 'attempt' | 'state' | 'epoch' | 'nonce'>,
  after?: number,
): string {
  const parts = [
    task,
    attempt,
    state,
    ...(nonce === undefined ? [] : [nonce]),
    ...(after === undefined ? [] : [after]),
  ];
  return [...parts, ...(state === 'accepted' && epoch ? [epoch] : [])].join('.');
}

/** The id of the message with the end of an attempt. It has the nonce for the same reason. */
export function endIdOf({ task, attempt, nonce }: Pick<Assignment, 'task' | 'attempt' | 'nonce'>): string {
  return [task, attempt, ...(nonce === undefined ? [] : [nonce])].join('.');
}
