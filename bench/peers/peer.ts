import type { Ground } from '../ground.ts';

/** A system that runs commands in the background, used as its users would. */
export interface Peer {
  /** Starts a shell command in the background; its id, when that is answered. */
  spawn(command: string): Promise<string>;
  /** The same for a task whose manager is to be killed, where that takes another way than `spawn`. */
  spawnElsewhere?(command: string): Promise<string>;
  /** Begins to wait for the end of a task; when that has begun, `told` resolves with the news. */
  wait(taskId: string): Promise<{ readonly told: Promise<void> }>;
  /** So many `true`, from the first spawn until the end of all is known. */
  many(count: number): Promise<void>;
  /** What its users would call to stop a task. */
  kill(taskId: string): Promise<void>;
  /** SIGKILL for what watches this task: a server, a daemon, or the process that has spawned it. */
  killManager(taskId: string): Promise<void>;
  /** How a task ended, asked of what its users would start after that; `null`: nobody can say. */
  exitCodeAfterwards(taskId: string): Promise<number | null>;
  /** Its own processes that do not carry the mark of this run. */
  unmarked(): readonly number[];
  /** Ends what it has started. */
  stop(): Promise<void>;
}

/** How a peer is shown, and how to have it. */
export interface PeerKind {
  readonly name: string;
  /** Each call of it is a process, as with our own command line. */
  readonly isProgram: boolean;
  /** How it is used here, in words. */
  readonly how: string;
  /** What is no fault of the program's, but to be known about a figure; empty without. */
  readonly note: string;
  /** One to use, in a folder of its own. @throws Error that says why it cannot be had. */
  start(ground: Ground): Promise<Peer>;
}
