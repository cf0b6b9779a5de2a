import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { installed } from '../agents/installed.ts';

/** By this key the suite is among what `npm run test:agents` has installed, and in what it notes. */
export const suiteKey = 'conformance';

/** What a scenario may take, in milliseconds. */
const scenarioMs = 120_000;

/** What came of one check. */
interface Check {
  readonly id: string;
  readonly status: 'SUCCESS' | 'FAILURE' | 'WARNING' | 'INFO' | 'SKIPPED';
  readonly errorMessage?: string;
}

/** What came of all scenarios that a revision of the protocol asks of servers. */
export interface Results {
  /** The names of the scenarios. */
  readonly scenarios: readonly string[];
  /** How many checks passed. */
  readonly passed: number;
  /** What was said of each check that failed, by SCENARIO:CHECK. */
  readonly failures: ReadonlyMap<string, string>;
}

/** The suite's own program, with these words. */
async function program(...words: readonly string[]): Promise<string> {
  const { node, modules } = installed();
  const script = join(modules[suiteKey] ?? '', '@modelcontextprotocol/conformance/dist/index.js');
  const { stdout } = await promisify(execFile)(node, [script, ...words], { maxBuffer: 2 ** 28 });
  return stdout;
}

/** Plays the scenarios of a revision against a server. @param folder where the suite leaves what it saw. */
export async function playSuite(url: string, revision: string, folder: string): Promise<Results> {
  const words = ['--requirements', revision, '--timeout', String(scenarioMs), '--output-dir', folder];
  // It exits with 1 when a check has failed; which ones these are stands in the folder.
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

/** The names of the scenarios for servers, also of those that the suite does not score. */
async function scenariosOf(revision: string): Promise<readonly string[]> {
  const listed = await program('list', '--server', '--requirements', revision);
  const [required = '', ...rest] = listed.split('\n\n').filter((part) => part.includes(' - '));
  const unscored = rest.flatMap((part) => part.match(/- \S+ \[server\]/g) ?? []);
  return [...(required.match(/- \S+/g) ?? []), ...unscored].map((line) => line.split(' ')[1] ?? '');
}
