import { linkSync, lstatSync, mkdirSync, renameSync, rmSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { OutliveError, systemCode } from '../../errors/error.ts';
import { expected, isExpected, tolerate } from '../../errors/expected.ts';
import type { ProcessIdentity } from '../../model/words.ts';
import { isAlive } from '../../platform/identity.ts';
import type { System } from '../../platform/system.ts';
import { readSmall, writeWhole } from '../../tasklog/files.ts';
import { randomHex } from '../../util/crypto.ts';

const mostBytes = 16 * 1_024;
const absent = expected('absent');

/** How many tries an agent has. Two agents may find the file of a dead agent at the same time. */
const attempts = 8;

/** A lock file that names this process as the only agent in a folder. */
export class AgentLock {
  readonly #path: string;
  readonly #file: number;

  private constructor(path: string, file: number) {
    this.#path = path;
    this.#file = file;
  }

  /**
   * Takes the lock.
   * @throws OutliveError `FLEET_HOST` while another agent has it, even a suspended one.
   */
  static take(folder: string, system: System): AgentLock {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const path = join(folder, 'agent.lock');
    for (let left = attempts; left > 0; left -= 1) {
      const file = create(path, system.self());
      if (file !== null) return new AgentLock(path, file);
      const text = readText(path);
      const holder = text === null ? null : parse(text);
      if (holder !== null && isAlive(holder, system) !== 'no') throw held(path, holder);
      if (text !== null) removeDead(path, text);
    }
    throw held(path, null);
  }

  /** Whether the file is still the one that this process created. */
  isHeld(): boolean {
    return lstatSync(this.#path, { throwIfNoEntry: false })?.ino === this.#file;
  }

  release(): void {
    if (this.isHeld()) rmSync(this.#path, { force: true });
  }
}

/** Creates the file with its content in one step. @returns its inode; `null`: the file exists already. */
function create(path: string, identity: ProcessIdentity): number | null {
  const temporary = `${path}.${randomHex(6)}`;
  writeWhole(temporary, JSON.stringify(identity));
  try {
    linkSync(temporary, path);
    return lstatSync(temporary).ino;
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
    return null;
  } finally {
    unlinkSync(temporary);
  }
}

/** Removes the file of a dead agent. If another agent has already replaced that file with its own, puts it back. */
function removeDead(path: string, text: string): void {
  const aside = `${path}.${randomHex(6)}`;
  try {
    renameSync(path, aside);
    if (readText(aside) !== text) linkSync(aside, path);
  } catch (error) {
    tolerate(error, absent, 'taking the place of a host agent that has ended');
  } finally {
    rmSync(aside, { force: true });
  }
}

function readText(path: string): string | null {
  try {
    return readSmall(path, mostBytes)?.toString('utf8') ?? null;
  } catch (error) {
    if (isExpected(error, absent)) return null;
    throw error;
  }
}

function parse(text: string): ProcessIdentity | null {
  try {
    const value = JSON.parse(text) as Partial<ProcessIdentity> | null;
    return Number.isSafeInteger(value?.pid) ? (value as ProcessIdentity) : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function held(path: string, holder: ProcessIdentity | null): OutliveError {
  const who =
    holder === null
      ? 'that other processes keep taking its place'
      : `one with pid ${holder.pid} of ${holder.host}`;
  return new OutliveError(
    'FLEET_HOST',
    `expected to be the only host agent here; found ${who}. Stop that one first; if no agent runs, remove ${path}.`,
  );
}
