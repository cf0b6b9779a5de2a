import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openStore } from '../../src/index.ts';
import { exitOf } from '../bare.ts';
import type { Ground } from '../ground.ts';
import { median, p95, takeTurns, timed } from '../measure.ts';
import { fillStore } from '../old-store.ts';
import { atMostTimes, judge, type Row, under } from '../row.ts';

/** The program that users run, seen from build/bench/rows. */
const program = join(import.meta.dirname, '../../../dist/bin/outlive.cjs');

/** The session that is asked. */
export const mine = 'bench';

/** How much of an empty Node's CPU time a verb may take, in a store that is new. */
const limits: Readonly<Record<string, number>> = { ps: 1.7, run: 1.7, logs: 1.7, completions: 2, wait: 2 };

/** The words of a verb, on one task of a store that has ended. Options stand in front: what follows a command belongs to it. */
function wordsOf(verb: string, { dir, taskId }: Asked): readonly string[] {
  const store = ['--store', dir];
  const own = [...store, '-s', mine];
  switch (verb) {
    case 'ps':
    case 'completions':
      return [verb, ...own];
    case 'ps -a':
      return ['ps', '-a', ...own];
    case 'run':
      return [verb, ...own, 'true'];
    case 'prune':
      return [verb, ...store, '--dry-run', '--all-sessions', '--older-than', '0s'];
    case 'doctor':
    case 'mcp':
      return [verb, ...store];
    default:
      return [verb, ...own, taskId];
  }
}

/** A store, and a task in it that has ended. */
interface Asked {
  readonly dir: string;
  readonly taskId: string;
}

/** What the large store has, beside as many tasks in the session that is asked. */
interface Size {
  readonly sessions: number;
  readonly tasks: number;
}

/**
 * The CPU time of verbs, whole processes, beside a Node that does nothing: in a new store, and beside what a year has left;
 * and the memory that they take there.
 */
export async function costOfVerbs(ground: Ground): Promise<Row[]> {
  const stores = await makeStores(ground, { sessions: 10_000, tasks: 50_000 });
  return [...(await cpuRows(stores)), await startOfMcp(stores.young), ...(await memoryRows(ground, stores))];
}

/** What of that fits into a minute, for a gate: ratios of one run. */
export async function ratiosOfVerbs(ground: Ground): Promise<Row[]> {
  const stores = await makeStores(ground, { sessions: 500, tasks: 2_000 });
  return [...(await cpuRows(stores)), await startOfMcp(stores.young)];
}

/** A store that is new, and one that is old. */
interface Stores {
  readonly young: Asked;
  readonly old: Asked;
  readonly size: Size;
}

async function makeStores(ground: Ground, size: Size): Promise<Stores> {
  const [young, old] = [join(ground.newFolder(), 'store'), join(ground.newFolder(), 'store')];
  const { sessions, tasks } = size;
  await fillStore(old, { sessions, tasks, largest: { sessionId: mine, tasks }, days: 365 });
  return {
    young: { dir: young, taskId: await oneTask(young) },
    old: { dir: old, taskId: await oneTask(old) },
    size,
  };
}

async function cpuRows({ young, old, size }: Stores): Promise<Row[]> {
  const [tasks, sessions] = [2 * size.tasks, size.sessions].map((count) => count.toLocaleString('en'));
  const rows: Row[] = [];
  for (const [verb, factor] of Object.entries(limits)) {
    const samples = await takeTurns(11, {
      young: () => cpuOf([program, ...wordsOf(verb, young)]),
      old: () => cpuOf([program, ...wordsOf(verb, old)]),
      bare: () => cpuOf(['-e', '0']),
    });
    const ofYoung = { measured: median(samples.young), p95: p95(samples.young), unit: 'ms' };
    const ofOld = { measured: median(samples.old), p95: p95(samples.old), unit: 'ms' };
    const bare = { beside: '`node -e 0`', besideMeasured: median(samples.bare) };
    const what = `CPU of \`${verb}\``;
    rows.push(
      judge({ what: `${what}, in a new store`, ...ofYoung, ...bare }, atMostTimes(factor)),
      judge(
        {
          what: `${what}, beside ${tasks} ended tasks in ${sessions} sessions`,
          ...ofOld,
          beside: 'the same in a new store',
          besideMeasured: ofYoung.measured,
        },
        atMostTimes(1.2),
      ),
    );
  }
  return rows;
}

/** The server of MCP, which is asked for one answer and then left. */
async function startOfMcp(asked: Asked): Promise<Row> {
  const params = {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'bench', version: '1' },
  };
  const line = `${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params })}\n`;
  const samples = await takeTurns(11, {
    ours: () => cpuOf([program, ...wordsOf('mcp', asked)], line),
    bare: () => cpuOf(['-e', '0']),
  });
  const figures = {
    what: 'CPU of the MCP server until it has answered `initialize`',
    unit: 'ms',
    measured: median(samples.ours),
    p95: p95(samples.ours),
    beside: '`node -e 0`',
    besideMeasured: median(samples.bare),
  };
  return judge(figures, atMostTimes(2));
}

async function memoryRows(ground: Ground, { old }: Stores): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [most, verbs] of [
    [80, ['ps', 'run', 'wait', 'logs', 'completions', 'show', 'kill', 'mcp']],
    [200, ['ps -a', 'prune', 'doctor']],
  ] as const) {
    for (const verb of verbs) {
      const measured = (await memoryOf(ground, program, ...wordsOf(verb, old))) / 1024;
      const what = `memory of \`${verb}\` there, at its highest`;
      rows.push(
        judge(
          { what, unit: 'MB', measured, beside: '', besideMeasured: null },
          under(most, `under ${most} MB`),
        ),
      );
    }
  }
  return rows;
}

/** `session()` on 100,000 ended tasks, and the doctor over 1,000 sessions of 100. */
export async function oldStores(ground: Ground): Promise<Row[]> {
  const [large, wide] = [join(ground.newFolder(), 'store'), join(ground.newFolder(), 'store')];
  await fillStore(large, { sessions: 0, tasks: 0, largest: { sessionId: mine, tasks: 100_000 }, days: 365 });
  await fillStore(wide, { sessions: 1_000, tasks: 100_000, days: 365 });
  const openings: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    await using store = await openStore({ dir: large });
    openings.push(await timed(() => store.session(mine)));
  }
  const doctors: number[] = [];
  for (let round = 0; round < 3; round += 1)
    doctors.push((await timed(() => whole([program, 'doctor', '--store', wide]))) / 1_000);
  const beside = { beside: '', besideMeasured: null };
  return [
    judge(
      { what: '`store.session()` of 100,000 ended tasks', unit: 'ms', measured: median(openings), ...beside },
      under(300, 'under 300 ms'),
    ),
    judge(
      {
        what: '`doctor` over 1,000 sessions of 100 ended tasks',
        unit: 's',
        measured: median(doctors),
        ...beside,
      },
      under(10, 'under 10 s'),
    ),
  ];
}

/** A session with one task that has ended and was acknowledged; its id. */
export async function oneTask(dir: string): Promise<string> {
  await using store = await openStore({ dir });
  const task = await (await store.session(mine)).spawn('echo hello');
  await task.wait();
  return task.id;
}

/** CPU time of a verb on a store, in milliseconds; `node -e 0` is the Node that does nothing. */
export function cpuOfVerb(verb: string, taskId: string, dir: string): Promise<number> {
  return cpuOf(verb === 'node -e 0' ? ['-e', '0'] : [program, ...wordsOf(verb, { dir, taskId })]);
}

/** CPU time of a Node and of what it has waited for, in milliseconds, as the shell's `time` tells it. */
async function cpuOf(words: readonly string[], input = ''): Promise<number> {
  const script = 'TIMEFORMAT="%3U %3S"; time "$@" >/dev/null';
  const child = spawn('bash', ['-c', script, 'bash', process.execPath, ...words], {
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  child.stdin.end(input);
  let text = '';
  child.stderr.setEncoding('utf8').on('data', (more: string) => {
    text += more;
  });
  await exitOf(child);
  const [user, system] = text.trim().split('\n').at(-1)?.split(' ').map(Number) ?? [];
  const cpu = ((user ?? Number.NaN) + (system ?? Number.NaN)) * 1_000;
  if (child.exitCode !== 0 || Number.isNaN(cpu)) throw new Error(`${words.join(' ')}: ${text}`);
  return cpu;
}

/** The largest resident memory of a Node, in KiB. It is asked to say so when it ends. */
async function memoryOf(ground: Ground, ...words: readonly string[]): Promise<number> {
  const [hook, told] = [`${ground.newFile()}.cjs`, ground.newFile()];
  const say = `require('node:fs').writeFileSync(${JSON.stringify(told)}, String(process.resourceUsage().maxRSS))`;
  writeFileSync(hook, `process.once('exit', () => ${say});`);
  await whole(['--require', hook, ...words]);
  return Number(readFileSync(told, 'utf8'));
}

/** Ends when its input does, as a server must. */
async function whole(words: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'ignore', 'inherit'] });
  await exitOf(child);
  if (child.exitCode !== 0) throw new Error(`${words.join(' ')}: ended with ${child.exitCode}`);
}
