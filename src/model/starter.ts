/**
 * The party that had a task started. outlive tells its end to that party, and to others only if its client is dead.
 * Absent in a spec: the task was started by a program that does not say, and its end is told to the client that has the
 * session.
 */
export interface Starter {
  /** The conversation, as the agent names it; absent: the agent gives no name, and the client stands for it. */
  readonly party?: string;
  /** The subagent of the conversation that called; absent: the main one, or the client does not say. */
  readonly caller?: string;
  /** The client program, of the same boot and pid namespace as the spawner. */
  readonly client: ClientProcess;
  /** The folder that the client works in; absent: not known. */
  readonly cwd?: string;
}

/** A process, as its neighbours know it. */
export interface ClientProcess {
  readonly pid: number;
  /** Kernel start time; `null`: not known. */
  readonly start: number | null;
}
