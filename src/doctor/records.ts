import { lstatSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { passing } from '../engine/session/background.ts';
import { tolerate } from '../errors/expected.ts';
import { bounds } from '../model/limits.ts';
import { doneLog, doneLogs } from '../tasklog/done.ts';
import { namesIn } from '../tasklog/files.ts';
import { sessionPathsIn, sessionsFolder, taskIdOfFile } from '../tasklog/paths.ts';
import { counted, type Finding, fine, some, warning } from './finding.ts';

/**
 * Whether every record is a file of a size that outlive writes. Others are read in part, or not at all.
 * @param damaged the ids of tasks whose logs were read in part.
 */
export function checkRecords(dir: string, damaged: readonly string[]): Finding {
  const strange: string[] = [];
  for (const { path, mostBytes } of recordsIn(dir)) {
    const what = whatIsWrong(path, mostBytes);
    if (what !== null) strange.push(`${path} (${what})`);
  }
  const garbage = damaged
    .filter((taskId) => !strange.some((text) => text.includes(taskId)))
    .map((taskId) => `${taskId} (too many lines)`);
  const found = [...strange, ...garbage];
  if (found.length === 0) return fine('records', 'every record is complete');
  return warning(
    'records',
    `${counted(found.length, 'record is', 'records are')} damaged: ${some(found)}`,
    'Other tasks are not affected. Check the files, and remove what outlive did not write.',
  );
}

interface RecordFile {
  readonly path: string;
  readonly mostBytes: number;
}

/** One at a time: there may be hundreds of thousands. */
function* recordsIn(dir: string): Generator<RecordFile, void, undefined> {
  const [record, log] = [bounds.recordBytes, bounds.logBytes];
  for (const name of namesIn(sessionsFolder(dir))) {
    const session = sessionPathsIn(join(sessionsFolder(dir), name));
    yield { path: session.record, mostBytes: record };
    for (const file of namesIn(session.tasks))
      if (taskIdOfFile(file) !== null) yield { path: join(session.tasks, file), mostBytes: log };
    for (const done of doneLogs(session)) yield { path: doneLog(session, done), mostBytes: log };
  }
}

function whatIsWrong(path: string, mostBytes: number): string | null {
  const stat = statOf(path);
  if (stat === null) return null;
  if (!stat.isFile()) return kindOf(stat);
  return stat.size > mostBytes ? `${stat.size} bytes` : null;
}

function kindOf(stat: Stats): string {
  if (stat.isSymbolicLink()) return 'a link';
  if (stat.isDirectory()) return 'a folder';
  return stat.isFIFO() ? 'a pipe' : 'no file';
}

function statOf(path: string): Stats | null {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) ?? null;
  } catch (error) {
    // What stands in the place of the session's folder is none.
    tolerate(error, passing, 'checking a record');
    return null;
  }
}
