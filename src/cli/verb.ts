import type { Store } from '../api/store.ts';
import type { Fleet } from '../fleet/client/fleet.ts';
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
  /** The server of the dashboard, loaded when it is asked for. */
  loadUi(): Promise<UiServers>;
}

/** The servers, which are beside the command line: the executable brings the two together. */
export interface McpServers {
  runStdioServer(options: {
    readonly store: () => Promise<Store>;
    readonly session?: string;
    readonly structured?: boolean;
    readonly fleet?: () => Promise<Fleet>;
    readonly onError?: (error: Error) => void;
  }): Promise<void>;
  startHttpServer(options: {
    readonly store: Store;
    readonly session?: string;
    readonly host?: string;
    readonly port?: number;
    readonly tokenFile?: string;
    readonly structured?: boolean;
    readonly fleet?: () => Promise<Fleet>;
    readonly onError?: (error: Error) => void;
  }): Promise<
    AsyncDisposable & { readonly url: string; readonly token: string; readonly tokenWasMade: boolean }
  >;
}

/** The server of the dashboard, which is beside the command line as well. */
interface UiServers {
  startUiServer(options: {
    readonly store: Store;
    readonly host?: string;
    readonly port?: number;
    readonly tokenFile?: string;
    readonly readOnly?: boolean;
    readonly fleet?: () => Promise<Fleet>;
  }): Promise<DashboardServer>;
}

/** A dashboard that is served. */
export interface DashboardServer extends AsyncDisposable {
  readonly url: string;
  readonly token: string;
  readonly tokenWasMade: boolean;
  readonly pages: number;
  urlForOpener(): string;
  onPages: (() => void) | null;
}
