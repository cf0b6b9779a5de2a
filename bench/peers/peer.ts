import type { Ground } from '../ground.ts';

/** A system that runs commands in the background, used as its users would use it. */
export interface Peer {
  /** Starts a shell command in the background. Resolves with its id when the system has answered. */
  spawn(command: string): Promise<string>;
  /** Starts a task before its manager is killed, for systems that need another way than `spawn` for that. */
  spawnElsewhere?(command: string): Promise<string>;
  /** Begins to wait for the end of a task. `told` resolves when the end is known. */
  wait(taskId: string): Promise<{ readonly told: Promise<void> }>;
  /** Runs `true` so many times, from the first spawn until the end of all is known. */
  many(count: number): Promise<void>;
  /** Stops a task as its users would. */
  kill(taskId: string): Promise<void>;
  /** Sends SIGKILL to the process that watches this task: a server, a daemon, or the process that spawned it. */
  killManager(taskId: string): Promise<void>;
  /** The exit code of a task, asked after the manager was killed, as its users would ask; `null` if nobody knows it. */
  exitCodeAfterwards(taskId: string): Promise<number | null>;
  /** Its own processes that do not have the mark of this run. */
  unmarked(): readonly number[];
  /** Ends the processes that it has started. */
  stop(): Promise<void>;
}

/** How a peer is shown, and how to start it. */
export interface PeerKind {
  readonly name: string;
  /** Whether each call of it is a process, as with our own command line. */
  readonly isProgram: boolean;
  /** How it is used here, in words. */
  readonly how: string;
  /** What a reader must know about a figure, without being a fault of the program; empty if there is nothing. */
  readonly note: string;
  /** Starts one in its own folder. @throws Error that says why it cannot be started. */
  start(ground: Ground): Promise<Peer>;
}
