import { join, sep } from 'node:path';
import { crypto } from '../util/crypto.ts';

/** The form of a task id: `bgb-` and 8 hexadecimal digits. Only such names ever become part of a path. */
export const taskIdPattern = /^bgb-[0-9a-f]{8}$/;

/** The folders of one session. */
export interface SessionPaths {
  readonly dir: string;
  readonly tasks: string;
  readonly output: string;
  /** The session's id in clear. */
  readonly record: string;
}

/** The files of one task. */
export interface TaskPaths {
  readonly log: string;
  readonly stdout: string;
  readonly stderr: string;
  /** The command, when it does not fit an argument. */
  readonly command: string;
}

/** Where a store keeps its sessions. */
export function sessionsFolder(storeDir: string): string {
  return join(storeDir, 'sessions');
}

/** Where a store keeps copies of programs of ours that cannot be executed where they are. */
export function programsFolder(storeDir: string): string {
  return join(storeDir, 'bin');
}

/**
 * The folder of a session: a slug that people recognise and a hash that decides. Any id is safe, because
 * the slug keeps only letters, digits and a few signs that are no separators.
 */
export function sessionPaths(storeDir: string, sessionId: string): SessionPaths {
  const slug = sessionId
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 32)
    .replace(/^-+|-+$/g, '');
  const hash = crypto().createHash('sha256').update(sessionId).digest('hex').slice(0, 16);
  return sessionPathsIn(join(sessionsFolder(storeDir), `${slug || 'session'}-${hash}`));
}

/** The same for a folder that is there already. */
export function sessionPathsIn(dir: string): SessionPaths {
  return { dir, tasks: join(dir, 'tasks'), output: join(dir, 'output'), record: join(dir, 'session.json') };
}

/** The files of a task, whose id has the form of {@link taskIdPattern}. */
export function taskPaths(session: SessionPaths, taskId: string): TaskPaths {
  const output = join(session.output, taskId);
  return {
    log: join(session.tasks, `${taskId}.jsonl`),
    stdout: `${output}.out`,
    stderr: `${output}.err`,
    command: `${output}.cmd`,
  };
}

/** The file of one stream alone: asked for again and again of every running task. */
export function outputPath(session: SessionPaths, taskId: string, stream: 'stdout' | 'stderr'): string {
  return `${session.output}${sep}${taskId}.${stream === 'stdout' ? 'out' : 'err'}`;
}

/** The id of the task whose log has that file name, or null for another file. */
export function taskIdOfFile(fileName: string): string | null {
  const id = fileName.endsWith('.jsonl') ? fileName.slice(0, -'.jsonl'.length) : '';
  return taskIdPattern.test(id) ? id : null;
}

/** The id of the task that something has happened to when a file of that name changes beside the logs; else null. */
export function taskIdOfEvent(fileName: string): string | null {
  // The wrapper of a task on Windows leaves its exit code in a file of its own.
  return taskIdOfFile(fileName.replace(/\.exit$/, '.jsonl'));
}

/** An empty file whose time says when the store was last gone through for what is old. */
export function retainedFile(storeDir: string): string {
  return join(storeDir, 'retained');
}

/** The name that the log of a task gets when the task is removed. */
export function removedLog(session: SessionPaths, taskId: string): string {
  return join(session.tasks, `${taskId}.removed`);
}

/** The id of the task whose log was given that name by {@link removedLog}, or null for another file. */
export function taskIdOfRemoved(fileName: string): string | null {
  const id = fileName.endsWith('.removed') ? fileName.slice(0, -'.removed'.length) : '';
  return taskIdPattern.test(id) ? id : null;
}

/** Where a process writes a shortened output before it takes the place of the whole one: the name says whose it is. */
export function cutPath(outputPath: string, writer: { pid: number; start: number | null }): string {
  return `${outputPath}.${writer.pid}-${writer.start ?? 0}.cut`;
}

/** The writer of a file that {@link cutPath} named; null for another file. */
export function cutWriter(fileName: string): { pid: number; start: number } | null {
  const match = /^bgb-[0-9a-f]{8}\.(?:out|err)\.(\d{1,10})-(\d{1,15})\.cut$/.exec(fileName);
  return match === null ? null : { pid: Number(match[1]), start: Number(match[2]) };
}
