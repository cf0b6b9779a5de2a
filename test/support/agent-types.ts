import type { Session, SessionOptions, Store, StoreOptions } from '../../src/index.ts';

/** What an agent hands to the code that it runs: the package's exports, and what it has open. */
export type AgentScope = typeof import('../../src/index.ts') & {
  readonly store: Store;
  readonly session: Session;
  readonly fs: typeof import('node:fs');
  readonly childProcess: typeof import('node:child_process');
  /** Values for code that the same agent runs later. */
  readonly kept: Record<string, unknown>;
};

/** How to start an agent. */
export interface AgentOptions {
  readonly sessionId?: string;
  readonly session?: SessionOptions;
  readonly store?: Omit<StoreOptions, 'dir'>;
  /** A command in front of Node's own, such as `unshare -m`. */
  readonly before?: readonly string[];
  /** Arguments of Node's, such as `--import` and a module to load first. */
  readonly node?: readonly string[];
  /** The path of Node. @default the Node that runs the tests */
  readonly execPath?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** A completion that an agent took. */
export interface Taken {
  readonly taskId: string;
  readonly status: string;
  readonly exitCode: number | null;
  /** Its acknowledgement was the first. */
  readonly first: boolean;
}
