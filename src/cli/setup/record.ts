import { createHash } from 'node:crypto';
import { mkdirSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { OutliveError, systemCode } from '../../errors/error.ts';
import { ownFolder } from '../../platform/own-folder.ts';
import { defaultStoreFolder } from '../../platform/state-folder.ts';
import { readSmall, writeWhole } from '../../tasklog/files.ts';
import { type Insertion, isTable, type Piece } from './piece.ts';

/*
 * What setup has put into a file, so that it can be taken out again byte for byte. It holds what is setup's own, and hashes of
 * the rest: an agent's configuration can have keys in it. Format: version 1; see test/compat/v2/setup-record.sample.
 */

/** What setup has done to one file. */
export interface SetupRecord {
  readonly v: 1;
  /** Without links. */
  readonly path: string;
  /** SHA-256 of the file without what is setup's; null: there was none. */
  readonly before: string | null;
  /** SHA-256 of the file with it. */
  readonly after: string;
  /** The insertions, in order. Offsets count UTF-16 units after a byte order mark. */
  readonly inserted: readonly Insertion[];
  readonly pieces: readonly Omit<Piece, 'alike'>[];
  /** The beginnings of paths that were not there before. */
  readonly made: readonly (readonly string[])[];
  /** The folders that were made for it. */
  readonly folders: readonly string[];
}

/** A record is small; what is larger is none. */
const mostBytes = 256 * 1024;

export function hashOf(text: string | Uint8Array): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The record of a file, whose path has no links; null if no record can be read. */
export function readRecord(real: string): SetupRecord | null {
  try {
    const bytes = readSmall(recordPath(real), mostBytes);
    return bytes === null ? null : parseRecord(bytes.toString('utf8'), real);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    // There is no record, or it is not for us: then setup recognizes its entries by their form.
    return null;
  }
}

/** @returns null for what is no record of that file. */
export function parseRecord(text: string, real: string): SetupRecord | null {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return null;
  }
  if (!isTable(data) || data.v !== 1 || data.path !== real) return null;
  const { before, after, inserted, pieces, made, folders } = data;
  const isWhole =
    (before === null || typeof before === 'string') &&
    typeof after === 'string' &&
    areAll(inserted, ({ at, text: more }) => Number.isSafeInteger(at) && typeof more === 'string') &&
    areAll(pieces, ({ path }) => isTexts(path)) &&
    Array.isArray(made) &&
    made.every(isTexts) &&
    isTexts(folders);
  return isWhole ? (data as unknown as SetupRecord) : null;
}

/**
 * Writes a record before its file is changed.
 * @throws OutliveError `STORE_UNSAFE` when others could write where the records are.
 */
export function writeRecord(record: SetupRecord): void {
  const path = recordPath(record.path);
  const folder = dirname(path);
  mkdirSync(dirname(folder), { recursive: true, mode: 0o700 });
  if (ownFolder(folder) === null)
    throw new OutliveError(
      'STORE_UNSAFE',
      `expected a folder that only this user can write, for the records of setup; found ${folder}. Correct its owner and its permissions. Nothing was written.`,
    );
  writeWhole(path, `${JSON.stringify(record)}\n`);
}

export function removeRecord(real: string): void {
  try {
    unlinkSync(recordPath(real));
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}

/** Beside the store that is taken when nobody names one: a project or an agent may have another, and the record is of the user. */
function recordPath(real: string): string {
  const { OUTLIVE_HOME: _, ...env } = process.env;
  return join(dirname(defaultStoreFolder(env)), 'outlive-setup', `${hashOf(real).slice(0, 32)}.json`);
}

function areAll(value: unknown, isOne: (one: Record<string, unknown>) => boolean): boolean {
  return Array.isArray(value) && value.every((one) => isTable(one) && isOne(one));
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}
