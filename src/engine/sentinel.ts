import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { Socket } from 'node:net';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { keeperVariable, type System } from '../platform/system.ts';
import { posixSentinel } from '../shim/sentinel.ts';
import type { SerialQueue } from '../util/queue.ts';
import { background } from './background.ts';
import { livingKeepers, markPrefix } from './keeper-marks.ts';
import type { startWindowsSentinel } from './windows-sentinel.ts';

/** More pids than this are not worth telling: one of them is alive. */
const mostPids = 32;

/** Sessions that are closed one after another tell of their tasks together. */
const togetherMs = 50;

/** What a sentinel is to start, and how. */
export interface SentinelOptions {
  readonly dir: string;
  readonly system: System;
  readonly shell: readonly [string, ...string[]];
  readonly elsewhere: 'unknown' | 'lost';
  readonly maxStoreBytes: number | null;
  /** How it is started on Windows; null elsewhere, where that code is not even loaded. */
  readonly startOnWindows: typeof startWindowsSentinel | null;
}

/**
 * The process beside a spawning one that learns when it is gone; see src/shim/sentinel.ts. Started in the
 * background with the first spawn, one for each open store, about 1 MB each.
 */
export class Sentinel {
  readonly #options: SentinelOptions | null;
  readonly #spawns: SerialQueue;
  readonly #left: number[] = [];
  #child: ChildProcess | undefined;
  /** It waits for the other end of this. */
  #line: Socket | undefined;
  /** Where it is no child of ours: says the line that it waits for. */
  #say: ((word: string) => void) | undefined;
  #starting = false;
  #telling: NodeJS.Timeout | undefined;
  #closed = false;

  /** Without options there is no keeper. */
  constructor(options: SentinelOptions | null, spawns: SerialQueue) {
    this.#options = options;
    this.#spawns = spawns;
  }

  /** To be called when a task has been started. */
  want(): void {
    if (this.#options === null || this.#isThere() || this.#starting || this.#closed) return;
    this.#starting = true;
    // Behind the spawn that is being answered, in a turn of its own.
    const starting = this.#spawns.run(() => this.#start());
    background(starting.finally(() => (this.#starting = false)));
  }

  /** Tasks run on that this process watches no more; `pids` are their shims. */
  leave(pids: readonly number[]): void {
    if (pids.length === 0 || this.#options === null) return;
    this.#left.push(...pids);
    this.#telling ??= setTimeout(() => {
      this.#tell();
      // Other sessions of the store may be open, and have live tasks.
      this.want();
    }, togetherMs).unref();
  }

  /** Lets the sentinel go: what was left is the keeper's now. */
  close(): void {
    this.#tell();
    this.#closed = true;
  }

  #tell(): void {
    clearTimeout(this.#telling);
    this.#telling = undefined;
    const { dir, system } = this.#options ?? {};
    if (dir === undefined || system === undefined || this.#closed) return;
    const pids = this.#left.splice(0);
    try {
      const isMissing = !this.#isThere() && livingKeepers(dir, system).length === 0;
      if (isMissing && pids.length > 0) this.#start();
    } catch {
      // What `spawn` throws, when there are no descriptors. Closing goes on.
    }
    const line = this.#line;
    this.#child = undefined;
    this.#line = undefined;
    const word = pids.length > mostPids ? '' : `${pids.join(' ') || 'none'}\n`;
    line?.end(word, () => line.destroy());
    this.#say?.(word);
    this.#say = undefined;
  }

  #isThere(): boolean {
    return this.#child !== undefined || this.#say !== undefined;
  }

  #start(): void {
    if (this.#options === null || this.#isThere() || this.#closed) return;
    const keeper = keeperFile();
    if (keeper === null) return;
    const { dir, system, shell, elsewhere, maxStoreBytes, startOnWindows } = this.#options;
    const [program, ...before] = shell;
    const prefix = markPrefix(dir, system.self());
    if (startOnWindows !== null) {
      const told = [dir, `${prefix}0-0`, String(maxStoreBytes ?? '')];
      this.#say = startOnWindows({ node: process.execPath, keeper, told }, elsewhere);
      return;
    }
    const told = [dir, '@', String(maxStoreBytes ?? '')];
    const args = ['-c', posixSentinel, 'outlive', prefix, process.execPath, keeper, ...told];
    const child = spawn(program, [...before, ...args], {
      // It must hold no folder, and not look like a process of the task that we may run in.
      cwd: '/',
      env: {
        PATH: '/usr/bin:/bin',
        OUTLIVE_ELSEWHERE: elsewhere,
        ELECTRON_RUN_AS_NODE: '1',
        [keeperVariable]: '1',
      },
      detached: true,
      // Nobody who waits for the end of our output may have to wait for it.
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    });
    // Of a process for which there were no descriptors Node makes no streams either.
    const line: unknown = (child.stdio as typeof child.stdio | undefined)?.[3];
    const forget = (): void => {
      if (line instanceof Socket) line.destroy();
      if (this.#child === child) this.#child = undefined;
    };
    // Without processes or descriptors to be had there is none until the next spawn.
    child.on('error', forget).on('exit', forget).unref();
    if (child.pid === undefined || !(line instanceof Socket)) return;
    line.on('error', forget).unref();
    this.#child = child;
    this.#line = line;
  }
}

let found: string | null | undefined;

/** The keeper's program; null where it is not: in a bundle, or when this program is neither Node nor Bun. */
function keeperFile(): string | null {
  if (found !== undefined) return found;
  const file = fileURLToPath(new URL('../bin/keeper.js', import.meta.url));
  const runtime = /^(?:node(?:js)?[\d.]*|bun)(?:\.exe)?$/i;
  const canRunIt = runtime.test(basename(process.execPath)) || process.versions.electron;
  found = canRunIt && existsSync(file) ? file : null;
  return found;
}
