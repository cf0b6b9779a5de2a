import { existsSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expected, tolerate } from '../../errors/expected.ts';
import { cookieVariable, nobodysCookie, type System } from '../../platform/system.ts';
import { createSuspended } from '../../platform/windows/create.ts';
import { type WindowsSentinelWords, windowsSentinel } from '../../shim/windows-sentinel.ts';
import { randomHex } from '../../util/crypto.ts';
import type { SerialQueue } from '../../util/queue.ts';
import { background, guarded, type Place } from '../session/background.ts';
import { markPrefix } from '../session/process-marks.ts';
import { livingKeepers } from './living-keepers.ts';

/** More pids than this are not worth telling: one of them is alive. */
const mostPids = 32;

/** Sessions that are closed one after another tell of their tasks together. */
const togetherMs = 50;

/** What the sentinel, and the keeper, need of the environment. */
const needed =
  /^(?:SystemRoot|SystemDrive|windir|ComSpec|PATH|PATHEXT|TEMP|TMP|USERPROFILE|LOCALAPPDATA|APPDATA)$/i;

const noProcess = expected('SPAWN_FAILED');

/** What a sentinel is to start, and how. */
export interface SentinelOptions {
  readonly dir: string;
  readonly system: System;
  readonly elsewhere: 'unknown' | 'lost';
  readonly maxStoreBytes: number | null;
}

/**
 * The process beside a spawning one that learns when it is gone, and then starts the keeper; see
 * src/shim/windows-sentinel.ts. Started in the background with the first spawn, one for each open store.
 */
export class Sentinel {
  readonly #options: SentinelOptions;
  readonly #place: Place;
  readonly #spawns: SerialQueue;
  readonly #left: number[] = [];
  /** Sends the line that the sentinel waits for; undefined while no sentinel waits. */
  #say: ((word: string) => void) | undefined;
  #starting = false;
  #telling: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: SentinelOptions, spawns: SerialQueue) {
    this.#options = options;
    this.#place = { store: options };
    this.#spawns = spawns;
  }

  /** To be called when a task has been started. */
  want(): void {
    if (this.#say !== undefined || this.#starting || this.#closed) return;
    this.#starting = true;
    // After the spawn that is being answered, in a turn of its own.
    const starting = this.#spawns.run(() => this.#start());
    background(
      this.#place,
      'starting a sentinel',
      starting.finally(() => (this.#starting = false)),
    );
  }

  /** Tasks run on that this process watches no more; `pids` are their shims. */
  leave(pids: readonly number[]): void {
    if (pids.length === 0) return;
    this.#left.push(...pids);
    const tell = guarded(this.#place, 'telling the sentinel', () => {
      this.#tell();
      // Other sessions of the store may be open, and have live tasks.
      this.want();
    });
    this.#telling ??= setTimeout(tell, togetherMs).unref();
  }

  /** Lets the sentinel go: what was left is the keeper's now. */
  close(): void {
    this.#tell();
    this.#closed = true;
  }

  #tell(): void {
    clearTimeout(this.#telling);
    this.#telling = undefined;
    if (this.#closed) return;
    const pids = this.#left.splice(0);
    const { dir, system } = this.#options;
    const isMissing = this.#say === undefined && livingKeepers(dir, system).length === 0;
    if (isMissing && pids.length > 0) this.#start();
    this.#say?.(pids.length > mostPids ? '' : `${pids.join(' ') || 'none'}\n`);
    this.#say = undefined;
  }

  #start(): void {
    if (this.#say !== undefined || this.#closed) return;
    const keeper = keeperFile();
    if (keeper === null) return;
    const { dir, system, elsewhere, maxStoreBytes } = this.#options;
    const told = [dir, `${markPrefix(dir, 'keeper', system.self())}0-0`, String(maxStoreBytes ?? '')];
    this.#say = startSentinel({ node: process.execPath, keeper, told }, elsewhere);
  }
}

/** Starts a sentinel; how to tell it that this process needs it no more, with the line that it gets. */
function startSentinel(words: Omit<WindowsSentinelWords, 'pipe'>, elsewhere: string): (word: string) => void {
  const pipe = `\\\\.\\pipe\\outlive-${randomHex(8)}`;
  const lines = new Set<Socket>();
  const server = createServer((line) => {
    lines.add(line);
    // The sentinel is gone, as it should be when it was told so.
    line.on('error', () => undefined).unref();
  });
  // Without the pipe it checks for this process instead.
  server.on('error', () => undefined);
  // From now on the pipe exists, though this process may not: even a process that ends at once has its sentinel.
  server.listen(pipe).unref();
  create(windowsSentinel({ pipe, ...words }), elsewhere);
  return (word) => {
    for (const line of lines) line.end(word, () => line.destroy());
    server.close();
  };
}

function create(words: string, elsewhere: string): void {
  const kept = Object.entries(process.env).filter(([name]) => needed.test(name));
  const environment = {
    ...Object.fromEntries(kept),
    OUTLIVE_ELSEWHERE: elsewhere,
    ELECTRON_RUN_AS_NODE: '1',
    [cookieVariable]: nobodysCookie,
  };
  const root = process.env.SystemRoot ?? 'C:\\Windows';
  const cmd = process.env.ComSpec || join(root, 'System32', 'cmd.exe');
  try {
    const sentinel = createSuspended(`"${cmd}" ${words}`, root, environment);
    sentinel.run();
    sentinel.close();
  } catch (error) {
    // If the system can start no process, there is no sentinel until the next spawn.
    tolerate(error, noProcess, 'starting a sentinel');
  }
}

let found: string | null | undefined;

/** The keeper's program; null where it is not: in a bundle, or when this program is neither Node nor Bun. */
function keeperFile(): string | null {
  // For tests, of what holds without a keeper.
  if (process.env.OUTLIVE_WITHOUT_KEEPER) return null;
  if (found !== undefined) return found;
  const file = fileURLToPath(new URL('../../bin/keeper.js', import.meta.url));
  const runtime = /^(?:node(?:js)?[\d.]*|bun)(?:\.exe)?$/i;
  const canRunIt = runtime.test(basename(process.execPath)) || process.versions.electron;
  found = canRunIt && existsSync(file) ? file : null;
  return found;
}
