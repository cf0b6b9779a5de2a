import { join, sep } from 'node:path';
import { crypto } from '../util/crypto.ts';

/** The form of a task id: `bgb-` and 12 hexadecimal digits. Only such names ever become part of a path. */
export const taskIdPattern = /^bgb-[0-9a-f]{12}$/;

/** The folders of one session. */
export interface SessionPaths {
  readonly dir: string;
  /** The logs of tasks to which something may happen yet. */
  readonly tasks: string;
  /** The logs of the others, in a folder for each day on which outlive removes them: see done.ts. */
  readonly done: string;
  readonly output: string;
  /** The session's id in clear. */
  readonly record: string;
  /** An empty file, on which the shims hold locks. */
  readonly queue: string;
  /** Which task has which key: see keys.ts. */
  readonly keys: string;
}

/** The files of one task. */
export interface TaskPaths {
  readonly log: string;
  readonly stdout: string;
  readonly stderr: string;
  /** The command when it is too long for the record, or the words after the program when they are too many for a request. */
  readonly command: string;
  /** The output of what the task runs at its end. */
  readonly hook: string;
  /** A folder, while the command runs, in which its shell tells how its pipeline ended. */
  readonly pipes: string;
  /** When stdout had grown how far, where that was noted. */
  readonly stdoutMarks: string;
  readonly stderrMarks: string;
  /** What the terminal of the task showed at a moment, so that its output need not be read from the start. */
  readonly screen: string;
  /** What the command writes to when its output goes through a pump. */
  readonly stdoutFifo: string;
  readonly stderrFifo: string;
  /** Where others type into the task. */
  readonly socket: string;
  /** The sizes of its terminal, when that was resized. */
  readonly sizes: string;
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
  return {
    dir,
    tasks: join(dir, 'tasks'),
    done: join(dir, 'done'),
    output: join(dir, 'output'),
    record: join(dir, 'session.json'),
    queue: join(dir, 'queue'),
    keys: join(dir, 'keys'),
  };
}

/** The files of a task, whose id has the form of {@link taskIdPattern}. */
export function taskPaths(session: SessionPaths, taskId: string): TaskPaths {
  const output = join(session.output, taskId);
  return {
    log: logPath(session, taskId),
    stdout: `${output}.out`,
    stderr: `${output}.err`,
    command: `${output}.cmd`,
    hook: `${output}.hook`,
    pipes: `${output}.pipes`,
    // The shim makes these names as well, of those of the output: native/src/marks.c and pump.c.
    stdoutMarks: `${output}.out.marks`,
    stderrMarks: `${output}.err.marks`,
    screen: `${output}.out.screen`,
    stdoutFifo: `${output}.out.fifo`,
    stderrFifo: `${output}.err.fifo`,
    socket: `${output}.sock`,
    sizes: `${output}.out.sizes`,
  };
}

/** The log of a task that is not put away. */
export function logPath(session: SessionPaths, taskId: string): string {
  return `${session.tasks}${sep}${taskId}.jsonl`;
}

/** The id of the task that a file in the folder of outputs belongs to, or null for another file. */
export function taskIdOfOutput(fileName: string): string | null {
  // A screen that was being kept has a name of its own for a moment.
  return (
    /^(bgb-[0-9a-f]{12})\.(?:cmd|hook|in|pipes|sock|(?:out|err)(?:\.marks|\.fifo|\.sizes)?|out\.screen(?:\.[0-9a-f]{12}\.tmp)?)$/.exec(
      fileName,
    )?.[1] ?? null
  );
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
  return taskIdOfRemoved(fileName) ?? taskIdOfFile(fileName.replace(/\.exit$/, '.jsonl'));
}

/** Whether a folder in that of the sessions is one's: its name is as {@link sessionPaths} makes it. */
export function isSessionFolder(name: string): boolean {
  return /^[a-z0-9-]{1,32}-[0-9a-f]{16}$/.test(name);
}

/** An empty file, by whose locks at most 16 shims of a store watch their output by inotify at a time. */
export function slotsFile(storeDir: string): string {
  return join(storeDir, 'inotify');
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
  const match = /^bgb-[0-9a-f]{12}\.(?:out|err)\.(\d{1,10})-(\d{1,15})\.cut$/.exec(fileName);
  return match === null ? null : { pid: Number(match[1]), start: Number(match[2]) };
}
