import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { OutliveError, shown } from '../../errors/error.ts';
import { hooksOf } from './agents.ts';
import { type Launch, serverOf } from './launch.ts';

/** Files by their paths in the folder of a plugin. */
type Files = Readonly<Record<string, string>>;

const about = 'Shell commands that outlive the agent that started them: run, wait, output, kill.';

/** What agents install as a whole, by the key of the agent. */
const plugins: Readonly<Record<string, (version: string, launch: Launch) => Files>> = {
  claude: (version, launch) => ({
    '.claude-plugin/plugin.json': text({ name: 'outlive', version, description: about, license: 'MIT' }),
    '.mcp.json': text({ mcpServers: { outlive: serverOf(launch) } }),
    'hooks/hooks.json': text({
      hooks: Object.fromEntries(hooksOf(launch).map(({ path, value }) => [path.at(-1), [value]])),
    }),
  }),
  gemini: (version, launch) => ({
    'gemini-extension.json': text({
      ...{ name: 'outlive', version, description: about },
      mcpServers: { outlive: serverOf(launch) },
    }),
  }),
};

/** The agents that have a plugin. */
export const pluginAgents = Object.keys(plugins);

/** The files of a plugin for an agent that has one. */
export function pluginOf(key: string, version: string, launch: Launch): Files {
  return plugins[key]?.(version, launch) ?? {};
}

/**
 * Writes the files of a plugin into a folder that is not there yet, or empty, or has them already.
 * @returns whether something was written.
 * @throws OutliveError `USAGE` when something else is in the folder: nothing is written then.
 */
export function writePlugin(folder: string, files: Files): boolean {
  const there = namesUnder(folder);
  if (there.length > 0 && isWhole(folder, there, files)) return false;
  if (there.length > 0)
    throw new OutliveError(
      'USAGE',
      `expected a folder for the plugin that is empty or not there; found ${shown(there[0])} in ${shown(folder, 4096)}. Name another one, or remove it.`,
    );
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content, { flag: 'wx' });
  }
  return true;
}

function isWhole(folder: string, there: readonly string[], files: Files): boolean {
  const wanted = Object.keys(files).sort();
  return (
    wanted.join('\n') === [...there].sort().join('\n') &&
    wanted.every((path) => readFileSync(join(folder, path), 'utf8') === files[path])
  );
}

/** The files in a folder, by their paths in it; a folder without any counts as one. */
function namesUnder(folder: string): string[] {
  if (!existsSync(folder)) return [];
  if (!lstatSync(folder).isDirectory()) return ['a file in its place'];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (!entry.isDirectory()) return [entry.name];
    const inside = namesUnder(join(folder, entry.name));
    return inside.length === 0 ? [entry.name] : inside.map((name) => `${entry.name}/${name}`);
  });
}

function text(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
