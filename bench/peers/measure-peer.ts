import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Gate } from '../gate.ts';
import { type Ground, markedPids, readOr } from '../ground.ts';
import { median, must, pause, timed } from '../measure.ts';
import { privateKib } from '../processes.ts';
import type { Peer, PeerKind } from './peer.ts';

/** The figures of one peer. A figure is `null` if it could not be measured; then `problems` says why. */
export interface PeerFigures {
  readonly name: string;
  readonly isProgram: boolean;
  readonly how: string;
  readonly note: string;
  /** Why there are no figures at all: it is not installed. */
  readonly missing: string | null;
  readonly spawnMs: number | null;
  readonly noticeMs: number | null;
  readonly manyMs: number | null;
  /**
   * Memory that the peer itself needs for one task, in MB, and for each further task, in KiB: without that of the
   * commands.
   */
  readonly firstMb: number | null;
  readonly eachKib: number | null;
  readonly afterManager: AfterManager | null;
  /** The members of a process tree that survived a kill; empty if none did. */
  readonly survivors: readonly string[] | null;
  readonly problems: readonly string[];
}

/** A task whose manager was killed. */
interface AfterManager {
  readonly wentOn: boolean;
  /** The exit code that the peer knows; the command ended with 7. */
  readonly exitCode: number | null;
}

export const manyCount = 200;
const quietCount = 20;
const rounds = 15;
const tree = join(import.meta.dirname, '../../../bench/peers/tree.sh');

/** All figures of a peer, each by itself: if one cannot be measured, the others still are. */
export async function measurePeer(kind: PeerKind, ground: Ground): Promise<PeerFigures> {
  const { name, isProgram, how, note } = kind;
  const problems: string[] = [];
  let peer: Peer;
  try {
    peer = await kind.start(ground);
  } catch (error) {
    const missing = error instanceof Error ? error.message : String(error);
    const none = { spawnMs: null, noticeMs: null, manyMs: null, firstMb: null, eachKib: null };
    return { name, isProgram, how, note, missing, ...none, afterManager: null, survivors: null, problems };
  }
  const attempt = async <T>(what: string, measure: () => Promise<T>): Promise<T | null> => {
    try {
      return await must(what, measure());
    } catch (error) {
      problems.push(`${what}: ${error instanceof Error ? error.message : error}`);
      return null;
    }
  };
  const memory = await attempt('memory', () => memoryOf(peer));
  const spawnMs = await attempt('spawn', () => spawnOf(peer));
  const noticeMs = await attempt('exit to notice', () => noticeOf(peer, ground));
  const manyMs = await attempt('many tasks', () => timed(() => peer.many(manyCount)));
  const survivors = await attempt('a kill of a tree', () => survivorsOf(peer, ground));
  // This is the last, because it leaves a peer without its manager.
  const afterManager = await attempt('SIGKILL of the manager', () => afterManagerOf(peer, ground));
  await attempt('its end', () => peer.stop());
  const firstMb = memory === null ? null : memory.firstKib / 1000;
  const eachKib = memory?.eachKib ?? null;
  const figures = { spawnMs, noticeMs, manyMs, firstMb, eachKib, afterManager, survivors };
  return { name, isProgram, how, note, missing: null, ...figures, problems };
}

async function spawnOf(peer: Peer): Promise<number> {
  const taken: number[] = [];
  for (let round = -3; round < rounds; round += 1) {
    let taskId = '';
    const ms = await timed(async () => {
      taskId = await peer.spawn('true');
    });
    if (round >= 0) taken.push(ms);
    await must('the end', (await peer.wait(taskId)).told);
  }
  return median(taken);
}

async function noticeOf(peer: Peer, ground: Ground): Promise<number> {
  const gate = new Gate(ground.newFile());
  const taken: number[] = [];
  for (let round = -2; round < rounds; round += 1) {
    const taskId = await peer.spawn(gate.command);
    await gate.ready();
    const { told } = await peer.wait(taskId);
    // Varies the moment, so that every phase of a polling peer is measured.
    await pause(20 + (((round + 2) * 191) % 500));
    const ms = await timed(async () => {
      gate.open();
      await must('the news', told);
    });
    if (round >= 0) taken.push(ms);
  }
  gate.close();
  return median(taken);
}

async function memoryOf(peer: Peer): Promise<{ firstKib: number; eachKib: number }> {
  const ids = [await peer.spawn('exec sleep 3600')];
  await pause(4_000);
  const firstKib = ownKib(peer);
  for (let count = 1; count < quietCount; count += 1) ids.push(await peer.spawn('exec sleep 3600'));
  await pause(2_000);
  const eachKib = (ownKib(peer) - firstKib) / (quietCount - 1);
  for (const id of ids) await peer.kill(id);
  return { firstKib, eachKib };
}

/** Memory of all processes of a peer, without the commands themselves and the process that drives it for us. */
function ownKib(peer: Peer): number {
  const isOwn = (pid: number): boolean => {
    if (readOr(`/proc/${pid}/comm`, '').trim() === 'sleep') return false;
    return !/--helper|pm2-driver|npm/.test(readOr(`/proc/${pid}/cmdline`, ''));
  };
  return privateKib([...markedPids(), ...peer.unmarked()].filter(isOwn));
}

async function afterManagerOf(peer: Peer, ground: Ground): Promise<AfterManager> {
  const [begun, ended] = [ground.newFile(), ground.newFile()];
  const command = `echo x >${begun}; sleep 2; echo x >${ended}; exit 7`;
  const taskId = await (peer.spawnElsewhere?.(command) ?? peer.spawn(command));
  while (!existsSync(begun)) await pause(10);
  await pause(1_000);
  await peer.killManager(taskId);
  await pause(3_000);
  const wentOn = existsSync(ended);
  return { wentOn, exitCode: await peer.exitCodeAfterwards(taskId) };
}

/** The names of the members of a process tree that are still alive some time after it was killed. */
async function survivorsOf(peer: Peer, ground: Ground): Promise<string[]> {
  const folder = ground.newFolder();
  const taskId = await peer.spawn(`exec sh ${tree} ${folder}`);
  const members = ['main', 'child', 'ignorer', 'setsid', 'daemon'];
  while (!members.every((name) => existsSync(join(folder, name)))) await pause(20);
  await pause(200);
  const pids = new Map(members.map((name) => [name, Number(readFileSync(join(folder, name), 'utf8'))]));
  const begin = performance.now();
  await peer.kill(taskId);
  const left = (): string[] => members.filter((name) => isAlive(pids.get(name) ?? 0));
  // A peer with a grace period gets five seconds for it.
  while (left().length > 0 && performance.now() - begin < 6_000) await pause(100);
  const survivors = left();
  for (const name of survivors) process.kill(pids.get(name) ?? 0, 'SIGKILL');
  writeFileSync(join(folder, 'survivors'), survivors.join(' '));
  return survivors;
}

function isAlive(pid: number): boolean {
  const stat = readOr(`/proc/${pid}/stat`, '');
  const state = stat.slice(stat.lastIndexOf(')') + 2)[0];
  return readdirSync('/proc').includes(String(pid)) && state !== 'Z' && state !== 'X';
}
