import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ground } from '../ground.ts';
import { asBarChart } from '../plot.ts';
import { figure } from '../row.ts';
import { markdownTable, where } from '../table.ts';
import { aft } from './aft.ts';
import { manyCount, measurePeer, type PeerFigures } from './measure-peer.ts';
import { nq } from './nq.ts';
import { outliveCommand } from './outlive-command.ts';
import { outliveLibrary } from './outlive-library.ts';
import { pm2 } from './pm2.ts';
import { taskSpooler } from './task-spooler.ts';
import { tmux } from './tmux.ts';

const kinds = [outliveLibrary, outliveCommand, aft('0.19.6'), aft('0.57.2'), taskSpooler, nq, pm2, tmux];

const docs = join(import.meta.dirname, '../../../docs');

/** A figure to draw and compare: less is better. */
interface Measure {
  readonly key: 'spawnMs' | 'noticeMs' | 'manyMs' | 'firstMb' | 'eachKib';
  readonly what: string;
  readonly unit: string;
}

const measures: readonly Measure[] = [
  { key: 'spawnMs', what: 'spawn, answered', unit: 'ms' },
  { key: 'noticeMs', what: 'exit to notice', unit: 'ms' },
  { key: 'manyMs', what: `${manyCount} x \`true\`, all known`, unit: 'ms' },
  { key: 'firstMb', what: 'memory for one task', unit: 'MB' },
  { key: 'eachKib', what: 'for each more', unit: 'KiB' },
];

/** Measures every peer, each in its own ground. */
export async function comparePeers(dir: string, words: readonly string[]): Promise<PeerFigures[]> {
  const found: PeerFigures[] = [];
  for (const kind of kinds) {
    if (words.length > 0 && !words.some((word) => kind.name.includes(word))) continue;
    await using ground = new Ground(dir);
    const begin = performance.now();
    found.push(await measurePeer(kind, ground));
    console.error(`${kind.name}: ${((performance.now() - begin) / 1000).toFixed(1)} s`);
  }
  return found;
}

/** The figures as text for a terminal or a page. */
export function comparisonText(all: readonly PeerFigures[], isBusy: boolean): string {
  const measured = all.filter(({ missing }) => missing === null);
  const heads = ['', ...measures.map(({ what }) => what)];
  const rows = all.map((peer) => [peer.name, ...measures.map((measure) => cell(peer, measure))]);
  const fates = measured.map((peer) => [peer.name, ...afterManager(peer), survivors(peer)]);
  const fateHeads = [
    'after a SIGKILL of the manager',
    'the command goes on',
    'its exit code is known',
    'what survives of a killed tree',
  ];
  const problems = measured.flatMap(({ name, problems: some }) => some.map((one) => `- ${name}: ${one}`));
  const notes = measured.filter(({ note }) => note !== '').map(({ name, note }) => `- ${name}: ${note}.`);
  const better = measures.flatMap((measure) => betterThanUs(measured, measure));
  return [
    `${where()}${isBusy ? ' Other programs used the machine at the same time, so the times are too long.' : ''}`,
    markdownTable(heads, rows),
    notes.join('\n'),
    markdownTable(fateHeads, fates),
    problems.length > 0 ? `What did not work:\n\n${problems.join('\n')}` : '',
    better.length > 0 ? `Where a peer is better:\n\n${better.join('\n')}` : '',
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

/** Puts the text into docs/comparison.md, and the charts beside it. */
export function writeComparison(all: readonly PeerFigures[], isBusy: boolean): void {
  const folder = join(docs, 'figures');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'comparison.json'), `${JSON.stringify(all, null, 2)}\n`);
  for (const { key, what, unit } of measures) {
    const bars = all.map((peer) => {
      const value = peer[key];
      return { name: peer.name, value, label: value === null ? '-' : `${figure(value)} ${unit}` };
    });
    const title = `${key === 'eachKib' ? 'memory for each further task' : what.replaceAll('`', '')}, ${unit}`;
    writeFileSync(join(folder, `peers-${key}.svg`), asBarChart(title, bars));
  }
  const how = all.map(({ name, how: text, missing }) => `| ${name} | ${missing ?? text} |`);
  const table = ['| | how the benchmark uses it |', '| --- | --- |', ...how].join('\n');
  const path = join(docs, 'comparison.md');
  const [begin, end] = ['<!-- peers:begin -->', '<!-- peers:end -->'];
  const text = readFileSync(path, 'utf8');
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`expected ${begin} and ${end} in docs/comparison.md`);
  const inside = `${comparisonText(all, isBusy)}\n\n${table}`;
  writeFileSync(path, `${text.slice(0, from + begin.length)}\n\n${inside}\n\n${text.slice(to)}`);
}

function cell({ missing, ...peer }: PeerFigures, { key, unit }: Measure): string {
  if (missing !== null) return missing;
  const value = peer[key];
  return value === null ? '?' : `${figure(value)} ${unit}`;
}

function afterManager({ afterManager: found }: PeerFigures): [string, string] {
  if (found === null) return ['?', '?'];
  return [found.wentOn ? 'yes' : '**no**', found.exitCode === 7 ? 'yes' : `**no**${wrong(found.exitCode)}`];
}

function wrong(exitCode: number | null): string {
  return exitCode === null ? '' : `, it says ${exitCode} for 7`;
}

function survivors({ survivors: names }: PeerFigures): string {
  if (names === null) return '?';
  const words: Readonly<Record<string, string>> = {
    main: 'the command itself',
    child: 'its child',
    ignorer: 'a child that ignores SIGTERM',
    setsid: 'a child that called `setsid`',
    daemon: 'a daemon',
  };
  return names.length === 0 ? 'nothing' : `**${names.map((name) => words[name] ?? name).join(', ')}**`;
}

/** The peers that need less than the library. A program also counts if it needs less than our command line. */
function betterThanUs(all: readonly PeerFigures[], { key, what, unit }: Measure): string[] {
  const [library, command] = [outliveLibrary, outliveCommand].map(
    ({ name }) => all.find((peer) => peer.name === name)?.[key] ?? null,
  );
  if (library === null || library === undefined) return [];
  const better = all.flatMap((peer) => {
    const value = peer[key];
    if (value === null || peer.name.startsWith('outlive')) return [];
    const most = peer.isProgram ? Math.max(library, command ?? 0) : library;
    return value < most ? [`${peer.name} ${figure(value)}`] : [];
  });
  if (better.length === 0) return [];
  return [
    `- ${what}: ${better.join(', ')} ${unit}; outlive ${figure(library)} as a library` +
      (command === null || command === undefined ? '.' : `, ${figure(command)} from the command line.`),
  ];
}
