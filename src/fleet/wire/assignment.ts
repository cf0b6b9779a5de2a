import type { TerminalSize } from '../../model/words.ts';

/** The state of an assignment. `unknown`: its host is lost, and it may have started there. */
export type AssignmentState = (typeof assignmentStates)[number];
export const assignmentStates = [
  ...['assigned', 'accepted', 'ended', 'delivered', 'revoked', 'unknown'],
] as const;

/**
 * The writer of a state. What a host writes is a claim: the coordinator believes it where the state before allows it.
 */
export type Writer = 'coordinator' | 'host';

/**
 * The arrows. `null` is the state of an attempt that nobody has assigned. A host that comes back says what became of an
 * attempt that was unknown. What was accepted is so again when a client has it stopped, which is noted. An attempt that
 * was accepted is revoked only where a repeated start was asked for, or its host is forgotten. A revoked attempt with a
 * planned successor is revoked again when no successor will follow. If the bus lost all its data, hosts report again
 * what runs and what has ended: then no state comes before it.
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

/** Whether an assignment may go from one state to another by that writer. */
export function mayBecome(from: AssignmentState | null, to: AssignmentState, by: Writer): boolean {
  return arrows.some((arrow) => arrow[0] === from && arrow[1] === to && arrow[2] === by);
}

/** The command of a remote task, as a client asked for it. No value of the host's environment is in it. */
export interface RemoteSpec {
  /** A command for the shell, or a program and its arguments. */
  readonly command: string | readonly string[];
  readonly session: string;
  readonly name: string | null;
  readonly labels: Readonly<Record<string, string>>;
  /** A path on the host; `null`: the home of its user. */
  readonly cwd: string | null;
  /** What the client named; nothing else goes along. */
  readonly env: Readonly<Record<string, string>>;
  /** Variables whose value the host has in its own file of secrets: the variable, and the name there. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly timeoutMs: number | null;
  readonly stdin: 'none' | 'open';
  /** The size of its terminal; `null` and absent: it has none. */
  readonly tty?: TerminalSize | null;
}

/** Where a task may run. */
export interface Placement {
  /** The name of a host; `null`: any with these labels. */
  readonly host: string | null;
  readonly labels: Readonly<Record<string, string | null>>;
}

/** How a task of a host has ended, as the host's store says it. */
export interface RemoteEnd {
  readonly status: 'completed' | 'failed' | 'killed' | 'timed_out' | 'lost';
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly endedAt: number;
  /** At most 8 KiB, the last of the output. */
  readonly tail: string;
  readonly outputBytes: number;
}

/** The last message on the subject of an assignment: all that is known of this attempt. */
export interface Assignment {
  readonly v: number;
  readonly host: string;
  readonly task: string;
  /** From 1. The command sees it as OUTLIVE_ATTEMPT. */
  readonly attempt: number;
  /** 32 random hexadecimal digits, taken anew for each attempt when it is assigned: see {@link messageIdOf}. */
  readonly nonce?: string;
  /**
   * When the stream was made that it was assigned in. Where the host finds it gone from that same stream, nothing was lost:
   * its consumer has the end, and nobody is told of it again. Absent: an older coordinator has assigned it.
   */
  readonly era?: string;
  readonly state: AssignmentState;
  readonly spec: RemoteSpec;
  readonly placement: Placement;
  /** The id of the client's request: the same one gives the same task. */
  readonly request: string;
  /** The public key of the client. */
  readonly client: string;
  /** Epoch milliseconds of the coordinator's clock: a host that has not accepted by then may not; `null`: no bound. */
  readonly startBy: number | null;
  /** How many times it may start anew on another host after its own was lost; 0: never. */
  readonly redispatch: number;
  /** Epoch milliseconds of the writer's clock, for people. */
  readonly at: number;
  readonly by: Writer;
  /**
   * Which acceptance it is: the epoch of the agent, a dot, and something that is new at each. Of two agents with one
   * credential, be one a copy of the other with its memory, the other one starts nothing for it. Absent and `null`: nobody has.
   */
  readonly epoch?: string | null;
  /** The task's id in the host's own store, once it has started. */
  readonly localId: string | null;
  readonly end: RemoteEnd | null;
  /** Why it was revoked or became unknown, in words. */
  readonly reason: string | null;
  /** Of one that is revoked: whether this attempt had been accepted. Only what never was is proved not to have started. */
  readonly accepted?: boolean;
  /** A client had it stopped after it was accepted: when its host is lost it does not start anew. Absent: none had. */
  readonly killed?: boolean;
  /** Whether an earlier attempt of the task was accepted. */
  readonly acceptedBefore?: boolean;
  /** Of one that is revoked: the number of the attempt that is to follow on another host; `null`: none is. */
  readonly next?: number | null;
  /**
   * The coordinator's signature over what does not change: see warrant.ts. A host copies it. With it a host proves, after
   * the stream was lost, that it was told to run this.
   */
  readonly warrant?: string;
}

/** The key under which a host spawns an attempt, so that it starts once at most. */
export function spawnKeyOf({ task, attempt }: Pick<Assignment, 'task' | 'attempt'>): string {
  return `fleet.${task}.${attempt}`;
}

/**
 * The id of the message that writes a state: the same state is stored once. JetStream compares it with the ids of all
 * messages of the stream, and a host may give its own messages any id. So another host could take an id beforehand, and its
 * writer would be told that it is stored, where nothing is. The nonce keeps it from that: only the host of the attempt sees it.
 * An agent that accepts is in it, so that the answer `duplicate` never tells one agent that the write of another one was its own.
 * To the retry of a stored write a server answers `duplicate` or, as one of a single node does, that another message is the last
 * one: which one it is has to be looked up then.
 * @param after the sequence number that the write follows: a state to which an attempt comes twice (accepted, unknown, accepted)
 *   needs it, since the server would take the second write for the first one.
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

/** The id of the message with the end of an attempt, for the same reason. */
export function endIdOf({ task, attempt, nonce }: Pick<Assignment, 'task' | 'attempt' | 'nonce'>): string {
  return [task, attempt, ...(nonce === undefined ? [] : [nonce])].join('.');
}
