import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { OutliveError } from '../../errors/error.ts';
import { isForeseen } from '../../errors/expected.ts';
import { warn } from '../../errors/warnings.ts';
import { namesIn, readSmall, writeWhole } from '../../tasklog/files.ts';
import type { Assignment, RemoteEnd } from '../wire/assignment.ts';
import { Fields } from '../wire/fields.ts';
import type { AttemptName } from '../wire/messages.ts';
import { taskForm } from '../wire/names.ts';
import { readAssignment, readEnd } from '../wire/read-assignment.ts';
import type { Attempt, LocalPlace } from './attempts.ts';

/** The version of the files. */
const version = 1;

/** The most bytes of a file, which has an assignment and its end as JSON. */
const mostBytes = 2 * 1_024 ** 2;

/**
 * How far an attempt was when its file was written. `accepting`: the acceptance is about to be sent. An agent that
 * later finds an acceptance on the bus knows from the file whether an agent of this store sent it. `spawning`: there is
 * a local task that may start from now on. If it is gone later, it may have run, so nothing starts. `started`: there is
 * a local task. `failed`: nothing started. `acknowledged`: the local task is about to be acknowledged.
 */
type Stage = (typeof stages)[number];
const stages = ['accepting', 'spawning', 'started', 'failed', 'acknowledged'] as const;

/** What the host keeps about an attempt outside of its store. */
export interface AttemptRecord extends AttemptName {
  readonly stage: Stage;
  readonly epochs: readonly string[];
  readonly local: LocalPlace | null;
  readonly assignment: Assignment | null;
  readonly end: RemoteEnd | null;
  readonly reason: string | null;
  /** Names the boot and the folder of the agent that wrote it; `null`: an older agent wrote it. */
  readonly instance: string | null;
}

/** Small files, one for each attempt that this host has accepted and that nobody has acknowledged yet. */
export class Records {
  readonly #folder: string;
  readonly #storeDir: string;

  readonly #instance: string;

  /** @param folder the agent's own folder. @param storeDir the folder of the store, for warnings. */
  constructor(folder: string, storeDir: string, instance: string) {
    this.#storeDir = storeDir;
    this.#instance = instance;
    this.#folder = join(folder, 'attempts');
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
  }

  /**
   * Writes a record. It is on the disk when this returns.
   * @throws a system error.
   */
  save({ task, attempt, epochs, local, assignment, end, reason }: Attempt, stage: Stage): void {
    const names = { task, attempt, stage, epochs, local, assignment, end, reason };
    const record: AttemptRecord = { ...names, instance: this.#instance };
    writeWhole(this.#pathOf({ task, attempt }), JSON.stringify({ version, ...record }));
  }

  remove(name: AttemptName): void {
    rmSync(this.#pathOf(name), { force: true });
  }

  /** All records. One that cannot be read becomes a warning and is left out. Leaving it out starts nothing. */
  all(): AttemptRecord[] {
    return namesIn(this.#folder)
      .filter((name) => /^bgb-[0-9a-f]{12}\.\d{1,7}\.json$/.test(name))
      .map((name) => this.#read(join(this.#folder, name)))
      .filter((record) => record !== null);
  }

  #read(path: string): AttemptRecord | null {
    try {
      const bytes = readSmall(path, mostBytes);
      if (bytes === null) throw unreadable(path);
      return parse(bytes.toString('utf8'), path);
    } catch (error) {
      if (!isForeseen(error)) throw error;
      warn({ doing: 'reading the record of an attempt', error, dir: this.#storeDir });
      return null;
    }
  }

  #pathOf({ task, attempt }: AttemptName): string {
    return join(this.#folder, `${task}.${attempt}.json`);
  }
}

function parse(text: string, path: string): AttemptRecord {
  const refuse = (said: string) => new OutliveError('READ_FAILED', `${said}, in ${path}.`);
  const fields = Fields.of(text, refuse);
  fields.oneOf('version', [version]);
  const local = fields.innerOrNull('local');
  const end = fields.innerOrNull('end');
  const assignment = fields.raw('assignment');
  return {
    task: fields.formed('task', taskForm),
    attempt: fields.whole('attempt', { least: 1 }),
    stage: fields.oneOf('stage', stages),
    epochs: fields.texts('epochs', 10_000, 64),
    local: local && { sessionId: local.text('sessionId'), taskId: local.formed('taskId', taskForm) },
    assignment: assignment === null ? null : readAssignment(assignment),
    end: end && readEnd(end),
    reason: fields.textOrNull('reason', 4_096),
    instance: fields.has('instance') ? fields.textOrNull('instance', 200) : null,
  };
}

function unreadable(path: string): OutliveError {
  return new OutliveError(
    'READ_FAILED',
    `expected ${path} to say what happened to an attempt; found no file, or one that is too large.`,
  );
}
