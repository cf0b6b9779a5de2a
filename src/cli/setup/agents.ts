import { existsSync, lstatSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { type AgentKey, agentKeys } from './agent-keys.ts';
import { hookLineOf, type Launch, piExtensionOf, serverOf } from './launch.ts';
import type { Piece } from './piece.ts';
import type { ConfigTarget } from './target.ts';

/** Where an agent looks for its files. */
export interface Place {
  readonly home: string;
  /** The folder of the project; null: the files of the user are meant. */
  readonly project: string | null;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
}

/** An agent that setup knows. */
export interface Agent {
  /** As setup is told it. */
  readonly key: AgentKey;
  /** Other words for it. */
  readonly aliases: readonly string[];
  /** As its makers write it. */
  readonly name: string;
  /** What its program is called, in PATH. */
  readonly program: string;
  /** The folder that it has for its user. */
  readonly folder: (place: Place) => string;
  readonly targets: (place: Place, launch: Launch) => readonly ConfigTarget[];
  /** What the person should know before saying yes. */
  readonly note?: string;
}

const claude: Agent = {
  key: 'claude',
  aliases: ['claude-code'],
  name: 'Claude Code',
  program: 'claude',
  folder: ({ home, env }) => named(env.CLAUDE_CONFIG_DIR) ?? join(home, '.claude'),
  targets: (place, launch) => {
    const { home, project, env } = place;
    const servers = project
      ? join(project, '.mcp.json')
      : join(named(env.CLAUDE_CONFIG_DIR) ?? home, '.claude.json');
    const settings = join(project ? join(project, '.claude') : claude.folder(place), 'settings.json');
    return [
      { path: servers, format: 'json', pieces: [member(['mcpServers'], serverOf(launch))] },
      { path: settings, format: 'json', pieces: hooksOf(launch) },
    ];
  },
};

const codex: Agent = {
  key: 'codex',
  aliases: [],
  name: 'Codex',
  program: 'codex',
  folder: ({ home, env }) => named(env.CODEX_HOME) ?? join(home, '.codex'),
  targets: (place, launch) => {
    const path = join(place.project ? join(place.project, '.codex') : codex.folder(place), 'config.toml');
    const value = { ...serverOf(launch), default_tools_approval_mode: 'approve' };
    return [{ path, format: 'toml', pieces: [member(['mcp_servers'], value)] }];
  },
  note: 'Codex then calls the tools of outlive without asking, and what they start is outside of its sandbox.',
};

const gemini: Agent = {
  key: 'gemini',
  aliases: ['gemini-cli'],
  name: 'Gemini CLI',
  program: 'gemini',
  folder: ({ home }) => join(home, '.gemini'),
  targets: (place, launch) => {
    const path = join(place.project ? join(place.project, '.gemini') : gemini.folder(place), 'settings.json');
    return [{ path, format: 'json', pieces: [member(['mcpServers'], serverOf(launch))] }];
  },
};

const opencode: Agent = {
  key: 'opencode',
  aliases: [],
  name: 'opencode',
  program: 'opencode',
  folder: (place) => named(place.env.OPENCODE_CONFIG_DIR) ?? join(configFolder(place), 'opencode'),
  targets: (place, launch) => {
    const folder = place.project ?? opencode.folder(place);
    const withComments = join(folder, 'opencode.jsonc');
    const isThere = lstatSync(withComments, { throwIfNoEntry: false }) !== undefined;
    const { command, args } = serverOf(launch);
    const value = { type: 'local', command: [command, ...args], enabled: true };
    const path = isThere ? withComments : join(folder, 'opencode.json');
    return [{ path, format: 'json', pieces: [member(['mcp'], value)] }];
  },
};

const pi: Agent = {
  key: 'pi',
  aliases: [],
  name: 'pi',
  program: 'pi',
  folder: ({ home, env }) => named(env.PI_CODING_AGENT_DIR) ?? join(home, '.pi', 'agent'),
  targets: (place, launch) => {
    if (place.project !== null) {
      // Others of the project have the program at another place, which an extension could not name.
      const server = { ...serverOf(launch), exposure: 'direct' };
      const path = join(place.project, '.pi', 'mcp.json');
      return [{ path, format: 'json', pieces: [member(['mcpServers'], server)] }];
    }
    const path = join(pi.folder(place), 'extensions', 'outlive.js');
    return [{ path, format: 'whole', pieces: [{ path: [], value: piExtensionOf(launch) }] }];
  },
  note: 'pi has each tool of outlive twice when it has both the extension and an MCP server: one is enough.',
};

const vscode: Agent = {
  key: 'vscode',
  aliases: ['code', 'vs-code'],
  name: 'VS Code',
  program: 'code',
  folder: (place) => join(applicationFolder(place), 'Code', 'User'),
  targets: (place, launch) => {
    const path = join(place.project ? join(place.project, '.vscode') : vscode.folder(place), 'mcp.json');
    return [{ path, format: 'json', pieces: [member(['servers'], { type: 'stdio', ...serverOf(launch) })] }];
  },
};

const cursor: Agent = {
  key: 'cursor',
  aliases: [],
  name: 'Cursor',
  program: 'cursor',
  folder: ({ home }) => join(home, '.cursor'),
  targets: (place, launch) => {
    const path = join(place.project ? join(place.project, '.cursor') : cursor.folder(place), 'mcp.json');
    return [{ path, format: 'json', pieces: [member(['mcpServers'], serverOf(launch))] }];
  },
};

const zed: Agent = {
  key: 'zed',
  aliases: [],
  name: 'Zed',
  program: 'zed',
  folder: (place) =>
    place.platform === 'win32' ? join(applicationFolder(place), 'Zed') : join(configFolder(place), 'zed'),
  targets: (place, launch) => {
    const path = join(place.project ? join(place.project, '.zed') : zed.folder(place), 'settings.json');
    return [{ path, format: 'json', pieces: [member(['context_servers'], serverOf(launch))] }];
  },
};

const byKey: Readonly<Record<AgentKey, Agent>> = { claude, codex, gemini, opencode, pi, vscode, cursor, zed };

/** The agents that setup knows, in the order in which they are listed. */
export const agents: readonly Agent[] = agentKeys.map((key) => byKey[key]);

/** Whether an agent seems to be there: its folder, or its program in PATH. */
export function isFound(agent: Agent, place: Place): boolean {
  const folders = (place.env.PATH ?? '').split(delimiter).filter((folder) => isAbsolute(folder));
  const endings = place.platform === 'win32' ? ['.exe', '.cmd'] : [''];
  const programs = folders.flatMap((folder) =>
    endings.map((ending) => join(folder, `${agent.program}${ending}`)),
  );
  return [agent.folder(place), ...programs].some((path) => existsSync(path));
}

/** What tells Claude Code of ends: when its user says something, and after each tool. */
export function hooksOf(launch: Launch): readonly Piece[] {
  const hook = { type: 'command', command: hookLineOf(launch), timeout: 10 };
  return ['UserPromptSubmit', 'PostToolUse'].map((event) => ({
    path: ['hooks', event],
    value: { hooks: [hook] },
    isElement: true,
    alike: /outlive\b.*\bcompletions\b/,
  }));
}

function member(path: readonly string[], value: unknown): Piece {
  return { path: [...path, 'outlive'], value };
}

/** An agent takes what its variable says; a path that is not whole means another folder in each of its working folders. */
function named(folder: string | undefined): string | null {
  return folder !== undefined && isAbsolute(folder) ? folder : null;
}

function configFolder({ home, env }: Place): string {
  return named(env.XDG_CONFIG_HOME) ?? join(home, '.config');
}

/** Where programs with windows keep what is their user's. */
function applicationFolder(place: Place): string {
  if (place.platform === 'win32') return named(place.env.APPDATA) ?? join(place.home, 'AppData', 'Roaming');
  return place.platform === 'darwin'
    ? join(place.home, 'Library', 'Application Support')
    : configFolder(place);
}
