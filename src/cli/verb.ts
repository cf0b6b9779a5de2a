import type { Store } from '../api/store.ts';
import type { Io } from './io.ts';
import type { CommonOptions } from './open.ts';

/** What a verb does: it gets its streams, arguments and options, and says the exit status. */
export type Verb<O extends CommonOptions = CommonOptions> = (
  io: Io,
  operands: readonly string[],
  options: O,
  host: Host,
) => Promise<number>;

/** What the program is put together with. */
export interface Host {
  /** The MCP servers, loaded when they are asked for. */
  loadMcp(): Promise<McpServers>;
}

/** The servers, which are beside the command line: whoever starts the program brings the two together. */
export interface McpServers {
  runStdioServer(options: {
    readonly store: Store;
    readonly session?: string;
    readonly onError?: (error: Error) => void;
  }): Promise<void>;
  startHttpServer(options: {
    readonly store: Store;
    readonly session?: string;
    readonly host?: string;
    readonly port?: number;
    readonly tokenFile?: string;
    readonly onError?: (error: Error) => void;
  }): Promise<
    AsyncDisposable & { readonly url: string; readonly token: string; readonly tokenWasMade: boolean }
  >;
}
