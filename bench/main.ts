// npm run bench: what section "Speed" of the design asks for, each figure beside its counterpart in the same run.
//   npm run bench -- WORD ...   only the benchmarks whose name contains one of the words
//   --json                      one row a line, as JSON
//   --write                     the table goes into docs/performance.md as well
//   --dir FOLDER                the stores are made there, on the disk to be measured (else in the temporary folder)
//   --list                      the names
//   npm run bench -- peers [WORD ...]   other systems that do this job, beside outlive; --write: docs/comparison.md
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { clearGrounds, Ground } from './ground.ts';
import { helpers } from './helpers.ts';
import { pause } from './measure.ts';
import { comparePeers, comparisonText, writeComparison } from './peers/comparison.ts';
import { idleMs } from './processes.ts';
import type { Row } from './row.ts';
import { exitToAcp } from './rows/acp.ts';
import { adoptEnded } from './rows/adopt-ended.ts';
import { againstReference } from './rows/against-reference.ts';
import { exitToPush } from './rows/exit-to-push.ts';
import { importCost } from './rows/import.ts';
import { exitToMcpClient } from './rows/mcp.ts';
import { psOfTasks } from './rows/ps.ts';
import { throughput } from './rows/slots.ts';
import { spawnReply } from './rows/spawn.ts';
import { tailOfLargeLog } from './rows/tail.ts';
import { thousandTasks } from './rows/thousand.ts';
import { lineToWaiter } from './rows/wait-for.ts';
import { asTable } from './table.ts';

const benchmarks: Readonly<Record<string, (ground: Ground) => Promise<Row[]>>> = {
  'exit-to-push': exitToPush,
  spawn: spawnReply,
  reference: againstReference,
  slots: throughput,
  thousand: thousandTasks,
  'adopt-ended': adoptEnded,
  tail: tailOfLargeLog,
  'wait-for': lineToWaiter,
  import: importCost,
  ps: psOfTasks,
  mcp: exitToMcpClient,
  acp: exitToAcp,
};

const [first, kind = '', ...helperArgs] = process.argv.slice(2);
if (first === '--helper') await helpers[kind]?.(helperArgs);
else process.exitCode = await main();

async function main(): Promise<number> {
  const asked = readArguments();
  if (asked === null) return 2;
  if (asked.words[0] === 'peers' && !asked.list) return await peers(asked);
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
  readonly dir: string;
}

function readArguments(): Asked | null {
  const flag = { type: 'boolean', default: false } as const;
  const options = {
    json: flag,
    write: flag,
    list: flag,
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
