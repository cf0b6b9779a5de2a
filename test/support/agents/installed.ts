import { readFileSync } from 'node:fs';
import type { AgentProgram } from './program.ts';
import { claudeCode } from './programs/claude-code.ts';
import { codex } from './programs/codex.ts';
import { geminiCli } from './programs/gemini-cli.ts';
import { opencode } from './programs/opencode.ts';
import { pi } from './programs/pi.ts';

const programs: readonly AgentProgram[] = [claudeCode, codex, geminiCli, opencode, pi];

/** What `npm run test:agents` has installed, and tells the test files in a file that OUTLIVE_AGENTS names. */
interface Installed {
  /** A Node that is new enough for every agent. */
  readonly node: string;
  /** A folder for HOMEs that is not below the one for temporary files, which the sandboxes of agents treat differently. */
  readonly homes: string;
  /** The node_modules folder of each agent that could be had. */
  readonly modules: Readonly<Record<string, string>>;
}

/** What is installed. Throws when a test file was not started by `npm run test:agents`. */
export function installed(): Installed {
  const path = process.env.OUTLIVE_AGENTS;
  if (path === undefined) throw new Error('expected OUTLIVE_AGENTS; run these tests by npm run test:agents');
  return JSON.parse(readFileSync(path, 'utf8')) as Installed;
}

/** The agents that a run plays with, of those that it has. */
export function agents(only: readonly AgentProgram[] = programs): readonly AgentProgram[] {
  const { modules } = installed();
  return only.filter(({ key }) => modules[key] !== undefined);
}
