import { randomBytes } from 'node:crypto';
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { openStore } from '../src/index.ts';
import { type SessionPaths, sessionPaths, taskPaths } from '../src/tasklog/paths.ts';
import { encodeSessionRecord } from '../src/tasklog/records.ts';

/** What a store has been used for. */
export interface Use {
  readonly sessions: number;
  readonly tasks: number;
  /** Ended tasks of one session, beside those that all sessions share. */
  readonly largest?: { readonly sessionId: string; readonly tasks: number };
  /** The number of the first session, where there are others already; 0 by default. */
  readonly firstSession?: number;
  /** The tasks were started evenly over so many days, up to now. */
  readonly days: number;
}

/** A task that really ran, from which others are made. */
interface Template {
  readonly id: string;
  readonly sessionId: string;
  /** Where its record is, seen from the folder of its session. */
  readonly place: string;
  readonly log: string;
  readonly output: Buffer;
}

const commands = ['echo hello', 'printf "%s\\n" one two three; exit 3', 'echo gone; kill -9 $$'];

/** Every number of this size in a record is a moment, in milliseconds. */
const leastMoment = 1_000_000_000_000;

/**
 * Fills a store with sessions of ended tasks that their agents were told of, as a year of use leaves them: the records
 * are those of tasks that ran, with ids, sessions, files and times of their own.
 */
export async function fillStore(dir: string, use: Use): Promise<void> {
  const { sessions, tasks, largest, firstSession = 0, days } = use;
  const templates = await runTemplates(dir);
  const now = Date.now();
  const agoOf = (at: number, of: number): number => (days * 86_400_000 * (of - at)) / of;
  const groups = Array.from({ length: sessions }, (_, at) => ({
    sessionId: `session ${firstSession + at}`,
    // The last ones have one less when it does not come out even.
    tasks: Math.floor(tasks / sessions) + (at < tasks % sessions ? 1 : 0),
  }));
  for (const { sessionId, tasks: count } of [...groups, ...(largest === undefined ? [] : [largest])]) {
    const paths = makeSession(dir, sessionId, now - agoOf(0, 1));
    for (let at = 0; at < count; at += 1) {
      const template = templates[at % templates.length] as Template;
      writeTask(paths, sessionId, template, Math.round(agoOf(at, count)));
    }
  }
}

async function runTemplates(dir: string): Promise<Template[]> {
  const sessionId = 'templates';
  const ids: string[] = [];
  {
    await using store = await openStore({ dir });
    const session = await store.session(sessionId, { retentionMs: null });
    for (const command of commands) {
      const task = await session.spawn(command);
      await task.wait();
      ids.push(task.id);
    }
  }
  // What is done with the records of those that ended is done.
  await using store = await openStore({ dir, readOnly: true });
  const own = sessionPaths(dir, sessionId).dir;
  return await Promise.all(
    ids.map(async (id) => {
      const { logPath, snapshot } = await store.inspect(id);
      const place = relative(own, logPath);
      const [log, output] = [readFileSync(logPath, 'utf8'), readFileSync(snapshot.output.path)];
      return { id, sessionId, place, log, output };
    }),
  );
}

function makeSession(dir: string, sessionId: string, createdAt: number): SessionPaths {
  const paths = sessionPaths(dir, sessionId);
  for (const folder of [paths.tasks, paths.output]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(paths.record, encodeSessionRecord(sessionId, createdAt), { mode: 0o600 });
  return paths;
}

function writeTask(paths: SessionPaths, sessionId: string, template: Template, agoMs: number): void {
  const [prefix = '', digits = ''] = template.id.split('-');
  const placeOf = (id: string): string => join(paths.dir, template.place.replace(template.id, id));
  const taskId = `${prefix}-${randomBytes(digits.length / 2).toString('hex')}`;
  const { stdout } = taskPaths(paths, taskId);
  const log = placeOf(taskId);
  mkdirSync(dirname(log), { recursive: true, mode: 0o700 });
  const descriptor = openSync(log, 'wx', 0o600);
  const file = fstatSync(descriptor);
  const text = template.log
    .replaceAll(template.id, taskId)
    .split('\n')
    .map((line) => (line.trim() === '' ? line : JSON.stringify(moved(JSON.parse(line)))))
    .join('\n');
  writeSync(descriptor, text);
  closeSync(descriptor);
  writeFileSync(stdout, template.output, { mode: 0o600 });

  function moved(value: unknown, key = ''): unknown {
    if (typeof value === 'number') {
      if (key === 'ino') return file.ino;
      return value > leastMoment ? value - agoMs : value;
    }
    if (value === template.sessionId && key === 'sessionId') return sessionId;
    if (Array.isArray(value)) return value.map((item) => moved(item));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, moved(item, name)]));
  }
}
