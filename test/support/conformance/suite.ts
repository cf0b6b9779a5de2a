import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { installed } from '../agents/installed.ts';

/** The key of the suite among the packages that `npm run test:agents` installs, and in its outcomes. */
export const suiteKey = 'conformance';

/** How long a scenario may take, in milliseconds. */
const scenarioMs = 120_000;

/** The result of one check. */
interface Check {
  readonly id: string;
  readonly status: 'SUCCESS' | 'FAILURE' | 'WARNING' | 'INFO' | 'SKIPPED';
  readonly errorMessage?: string;
}

/** The results of all scenarios that a revision of the protocol has for servers. */
export interface Results {
  /** The names of the scenarios. */
  readonly scenarios: readonly string[];
  /** How many checks passed. */
  readonly passed: number;
  /** The error message of each failed check, by SCENARIO:CHECK. */
  readonly failures: ReadonlyMap<string, string>;
}

/** Runs the suite's own program with these arguments. */
async function program(...words: readonly string[]): Promise<string> {
  const { node, modules } = installed();
  const script = join(modules[suiteKey] ?? '', '@modelcontextprotocol/conformance/dist/index.js');
  const { stdout } = await promisify(execFile)(node, [script, ...words], { maxBuffer: 2 ** 28 });
  return stdout;
}

/** Plays the scenarios of a revision against a server. @param folder where the suite writes its results. */
export async function playSuite(url: string, revision: string, folder: string): Promise<Results> {
  const words = ['--requirements', revision, '--timeout', String(scenarioMs), '--output-dir', folder];
  // It exits with 1 when a check has failed. The folder says which ones.
  await program('server', '--url', url, ...words).catch((error: { code?: unknown }) => {
    if (error.code !== 1) throw error;
  });
  const names = await scenariosOf(revision);
  const found = readdirSync(folder);
  const failures = new Map<string, string>();
  let passed = 0;
  for (const name of names) {
    const results = found.filter(
      (entry) => entry.replace(/-\d{4}-\d\d-\d\dT[^T]*$/, '') === `server-${name}`,
    );
    const [result] = results;
    if (result === undefined) throw new Error(`expected results of ${name}; found ${found.join(', ')}`);
    const checks = JSON.parse(readFileSync(join(folder, result, 'checks.json'), 'utf8')) as Check[];
    for (const { id, status, errorMessage = '' } of checks) {
      if (status === 'SUCCESS') passed += 1;
      if (status === 'FAILURE') failures.set(`${name}:${id}`, errorMessage);
    }
  }
  return { scenarios: names, passed, failures };
}

/** The names of the scenarios for servers, including those that the suite does not score. */
async function scenariosOf(revision: string): Promise<readonly string[]> {
  const listed = await program('list', '--server', '--requirements', revision);
  const [required = '', ...rest] = listed.split('\n\n').filter((part) => part.includes(' - '));
  const unscored = rest.flatMap((part) => part.match(/- \S+ \[server\]/g) ?? []);
  return [...(required.match(/- \S+/g) ?? []), ...unscored].map((line) => line.split(' ')[1] ?? '');
}
