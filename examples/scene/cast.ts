import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, dirname, join, relative } from 'node:path';
import type { EndedStatus, SpawnOptions } from '../../src/index.ts';

/** The repository's top folder, seen from build/examples/scene. */
export const root = join(import.meta.dirname, '../../..');

/** The session that both agents open. */
export const sessionId = 'scene';

/** The name of the web server's task. */
export const serverName = 'server';

/** The name of the task that runs the user's own command. */
export const yoursName = 'yours';

/** So long the user's own command may run. */
export const yoursLimitMs = 5 * 60_000;

/** What a command of the scene says when it is sent SIGTERM. */
export const refusal = 'SIGTERM? No.';

/** A command of the scene, and how its task has to end. */
export interface Part {
  readonly name: string;
  readonly command: string;
  readonly options: SpawnOptions;
  /** `null`: how it ends is the user's affair. */
  readonly ending: { readonly status: EndedStatus; readonly exitCode: number } | null;
}

/** Our own node and our own tools come first; and an end comes also when nobody is left to stop it. */
const folders = [join(root, 'node_modules/.bin'), dirname(process.execPath), process.env.PATH];
const soon: SpawnOptions = { timeoutMs: 60_000, env: { PATH: folders.join(delimiter) } };

/** The commands of the scene, in the order in which the agent spawns them. */
export function cast(yours: string): Part[] {
  const server = relative(root, join(import.meta.dirname, 'web-server.js'));
  const parts: Part[] = [
    part(serverName, `node ${server}`, soon, 'killed', 143),
    part(
      'stubborn',
      `trap 'echo "${refusal}"' TERM; while :; do sleep 0.1; done`,
      { timeoutMs: 2_000, graceMs: 500 },
      'timed_out',
      124,
    ),
    part('fails', 'sleep 1; exit 7', soon, 'failed', 7),
    part('history', hasHistory() ? historyCommand : filesCommand, soon, 'completed', 0),
    part('typecheck', 'tsc --noEmit --diagnostics', soon, 'completed', 0),
  ];
  if (yours.trim() === '') return parts;
  return [...parts, { name: yoursName, command: yours, options: { timeoutMs: yoursLimitMs }, ending: null }];
}

const historyCommand = 'git rev-list --count HEAD';
const filesCommand = 'find . -name node_modules -prune -o -type f -print | wc -l';

/** Whether git can tell the history: not in an unpacked tarball, nor where git is missing. */
export function hasHistory(): boolean {
  return existsSync(join(root, '.git')) && countHistory() !== '';
}

/** The number of commits, from git itself; empty when it cannot tell. */
export function countHistory(): string {
  const { status, stdout } = spawnSync('git', ['rev-list', '--count', 'HEAD'], {
    cwd: root,
    encoding: 'utf8',
  });
  return status === 0 ? stdout.trim() : '';
}

function part(
  name: string,
  command: string,
  options: SpawnOptions,
  status: EndedStatus,
  exitCode: number,
): Part {
  return { name, command, options, ending: { status, exitCode } };
}
