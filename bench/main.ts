// npm run bench: what section "Speed" of the design asks for, each figure beside its counterpart in the same run.
//   npm run bench -- WORD ...   only the benchmarks whose name contains one of the words
//   --json                      one row a line, as JSON
//   --write                     the table goes into docs/performance.md as well
//   --dir FOLDER                the stores are made there, on the disk to be measured (else in the temporary folder)
//   --list                      the names
//   --curves                    verbs against the number of tasks and of sessions, as pictures in docs/figures; ten minutes
//   --gate                      ratios of whole commands only, in a minute; fails when one is half as bad again as its limit
//   npm run bench -- peers [WORD ...]   other systems that do this job, beside outlive; --write: docs/comparison.md
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { clearGrounds, Ground } from './ground.ts';
import { helpers } from './helpers.ts';
import { pause } from './measure.ts';
import { comparePeers, comparisonText, writeComparison } from './peers/comparison.ts';
import { asSvg } from './plot.ts';
import { idleMs } from './processes.ts';
import type { Row } from './row.ts';
import { exitToAcp } from './rows/acp.ts';
import { adoptEnded } from './rows/adopt-ended.ts';
import { againstReference } from './rows/against-reference.ts';
import { exitToPush } from './rows/exit-to-push.ts';
import { fleetRows } from './rows/fleet.ts';
import { fleetOfHosts } from './rows/fleet-hosts.ts';
import { growthOfVerbs } from './rows/growth.ts';
import { importCost } from './rows/import.ts';
import { exitToMcpClient } from './rows/mcp.ts';
import { psOfTasks } from './rows/ps.ts';
import { screensOfOutput } from './rows/screens.ts';
import { throughput } from './rows/slots.ts';
import { spawnReply } from './rows/spawn.ts';
import { tailOfLargeLog } from './rows/tail.ts';
import { terminals } from './rows/terminal.ts';
import { thousandTasks } from './rows/thousand.ts';
import { dashboard } from './rows/ui.ts';
import { costOfVerbs, oldStores, ratiosOfVerbs } from './rows/verbs.ts';
import { lineToWaiter } from './rows/wait-for.ts';
import { watchOfStore } from './rows/watch.ts';
import { asTable } from './table.ts';

const benchmarks: Readonly<Record<string, (ground: Ground) => Promise<Row[]>>> = {
  'exit-to-push': exitToPush,
  spawn: spawnReply,
  reference: againstReference,
  slots: throughput,
  thousand: thousandTasks,
  watch: watchOfStore,
  'adopt-ended': adoptEnded,
  tail: tailOfLargeLog,
  screens: screensOfOutput,
  'wait-for': lineToWaiter,
  terminal: terminals,
  import: importCost,
  ps: psOfTasks,
  verbs: costOfVerbs,
  'old-store': oldStores,
  mcp: exitToMcpClient,
  acp: exitToAcp,
  ui: dashboard,
  ...fleetRows,
  'fleet-hosts': fleetOfHosts,
};

/** How much worse than its limit a ratio must be to fail: machines are noisy. */
const gateFactor = 1.5;

const [first, kind = '', ...helperArgs] = process.argv.slice(2);
if (first === '--helper') await helpers[kind]?.(helperArgs);
else process.exitCode = await main();

async function main(): Promise<number> {
  const asked = readArguments();
  if (asked === null) return 2;
  if (asked.words[0] === 'peers' && !asked.list) return await peers(asked);
  if (asked.gate) return await passGate(asked.dir);
  if (asked.curves) return await drawCurves(asked.dir);
  const names = Object.keys(benchmarks).filter(
    (name) => asked.words.length === 0 || asked.words.some((word) => name.includes(word)),
  );
  if (names.length === 0) return complain(`no benchmark matches; expected one of ${list()}`);
  if (asked.list) {
    console.log(names.join('\n'));
    return 0;
  }
  if (asked.write && asked.words.length > 0) return complain('--write takes the whole run, without words');
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, breakOff);
  const rows: Row[] = [];
  let failed = 0;
  for (const name of names) {
    const found = await run(name, asked.dir);
    if (found === null) failed += 1;
    else rows.push(...found);
    if (asked.json) for (const row of found ?? []) console.log(JSON.stringify({ benchmark: name, ...row }));
  }
  clearGrounds();
  if (!asked.json) console.log(asTable(rows));
  if (asked.write && failed === 0) writeTable(asTable(rows));
  return failed === 0 ? 0 : 1;
}

/** The one check that speed can fail: two things are compared in one run. What is too slow is measured once more. */
async function passGate(dir: string): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    await using ground = new Ground(dir);
    const rows = await ratiosOfVerbs(ground);
    console.log(asTable(rows));
    const slow = rows.filter(({ ofLimit }) => ofLimit !== null && ofLimit > gateFactor);
    if (slow.length === 0 || attempt === 2) {
      clearGrounds();
      for (const { what, limit, compared } of slow)
        console.error(
          `speed: ${what}: expected ${limit}, and ${gateFactor} times that at most; found ${compared}`,
        );
      return slow.length === 0 ? 0 : 1;
    }
  }
}

async function drawCurves(dir: string): Promise<number> {
  await using ground = new Ground(dir);
  const [byTasks, bySessions] = (await growthOfVerbs(ground)).map(asSvg);
  const figures = join(import.meta.dirname, '../../docs/figures');
  writeFileSync(join(figures, 'verbs-by-tasks.svg'), byTasks ?? '');
  writeFileSync(join(figures, 'verbs-by-sessions.svg'), bySessions ?? '');
  clearGrounds();
  return 0;
}

/** What is compared here is whole systems, so it has a page of its own. */
async function peers({ words, dir, json, write }: Asked): Promise<number> {
  const wanted = words.slice(1);
  if (write && wanted.length > 0) return complain('--write takes all peers, without words');
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, breakOff);
  const [begin, idle] = [performance.now(), idleMs()];
  await pause(1_000);
  const isBusy = idleMs() - idle < 0.75 * availableParallelism() * (performance.now() - begin);
  const found = await comparePeers(dir, wanted);
  clearGrounds();
  console.log(json ? JSON.stringify(found) : comparisonText(found, isBusy));
  if (write) writeComparison(found, isBusy);
  return found.every(({ problems }) => problems.length === 0) ? 0 : 1;
}

interface Asked {
  readonly words: readonly string[];
  readonly json: boolean;
  readonly write: boolean;
  readonly list: boolean;
  readonly gate: boolean;
  readonly curves: boolean;
  readonly dir: string;
}

function readArguments(): Asked | null {
  const flag = { type: 'boolean', default: false } as const;
  const options = {
    json: flag,
    write: flag,
    list: flag,
    gate: flag,
    curves: flag,
    dir: { type: 'string', default: tmpdir() },
  } as const;
  try {
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    return { ...values, words: positionals };
  } catch (error) {
    complain(error instanceof Error ? error.message : String(error));
    return null;
  }
}

function complain(what: string): number {
  console.error(`npm run bench: ${what}`);
  return 2;
}

function list(): string {
  return Object.keys(benchmarks).join(', ');
}

/** The rows of one benchmark, or null when something does not work. How fast it is fails nothing. */
async function run(name: string, dir: string): Promise<Row[] | null> {
  const begin = performance.now();
  try {
    await using ground = new Ground(dir);
    const rows = (await benchmarks[name]?.(ground)) ?? [];
    console.error(`${name}: ${((performance.now() - begin) / 1000).toFixed(1)} s`);
    return rows;
  } catch (error) {
    console.error(`${name} does not work:`, error);
    return null;
  }
}

function breakOff(): void {
  clearGrounds();
  process.exit(130);
}

/** Replaces what stands between the two marks of the document. */
function writeTable(table: string): void {
  const path = join(import.meta.dirname, '../../docs/performance.md');
  const [begin, end] = ['<!-- bench:begin -->', '<!-- bench:end -->'];
  const text = readFileSync(path, 'utf8');
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`expected ${begin} and ${end} in docs/performance.md`);
  writeFileSync(path, `${text.slice(0, from + begin.length)}\n\n${table}\n\n${text.slice(to)}`);
}
