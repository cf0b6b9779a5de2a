/** The state of an assignment. `unknown`: its host is lost, and it may have started there. */
export type AssignmentState = (typeof assignmentStates)[number];
export const assignmentStates = [
  ...['assigned', 'accepted', 'ended', 'delivered', 'revoked', 'unknown'],
] as const;

/** Who writes a state. What a host writes is a claim: the coordinator believes it where the state before allows it. */
export type Writer = 'coordinator' | 'host';

/**
 * The arrows. `null` is the state of an attempt that nobody has assigned. A host that comes back says what became of an
 * attempt that was unknown. An attempt that was accepted is revoked only where a repeated start was asked for.
 */
const arrows: readonly (readonly [from: AssignmentState | null, to: AssignmentState, by: Writer])[] = [
  [null, 'assigned', 'coordinator'],
  ['assigned', 'accepted', 'host'],
  ['assigned', 'revoked', 'coordinator'],
  ['accepted', 'ended', 'host'],
  ['accepted', 'unknown', 'coordinator'],
  ['accepted', 'revoked', 'coordinator'],
  ['unknown', 'accepted', 'host'],
  ['unknown', 'ended', 'host'],
  ['unknown', 'revoked', 'coordinator'],
  ['ended', 'delivered', 'coordinator'],
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
  /** The task's id in the host's own store, once it has started. */
  readonly localId: string | null;
  readonly end: RemoteEnd | null;
  /** Why it was revoked or became unknown, in words. */
  readonly reason: string | null;
}

/** The key under which a host spawns an attempt, so that it starts once at most. */
export function spawnKeyOf({ task, attempt }: Pick<Assignment, 'task' | 'attempt'>): string {
  return `fleet.${task}.${attempt}`;
}

/** The id of the message that writes a state: the same state is stored once. */
export function messageIdOf({
  task,
  attempt,
  state,
}: Pick<Assignment, 'task' | 'attempt' | 'state'>): string {
  return `${task}.${attempt}.${state}`;
}
