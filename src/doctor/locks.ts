import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { isForeseen } from '../errors/expected.ts';
import { shimFinder } from '../shim/program.ts';
import { letGo } from '../tasklog/files.ts';
import { openNameless } from './file-system.ts';
import { type Finding, fine, warning } from './finding.ts';

/** Whether shims can lock files of the store, by which queued tasks find their turn. Nothing where that cannot be tried. */
export async function checkLocks(dir: string): Promise<Finding[]> {
  let file: number | null = null;
  try {
    file = openNameless(dir);
    const { path: program } = shimFinder(dir).choose();
    if (file === null || !existsSync(program)) return [];
    if (await canLock(program, file))
      return [fine('locks', 'files can be locked, so a queue continues without an agent')];
    return [
      warning(
        'locks',
        'files cannot be locked here: a queued task waits until a process that has its session open starts it',
        'Move the store to a local disk.',
      ),
    ];
  } catch (error) {
    // Without a shim, without a process to be had, or on a disk that takes nothing, another check says so.
    if (!isForeseen(error)) throw error;
    return [];
  } finally {
    if (file !== null) letGo(file);
  }
}

function canLock(program: string, file: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, ['locks'], { stdio: ['ignore', 'ignore', 'ignore', file] });
    child.once('error', reject);
    child.once('exit', (code) => resolve(code === 0));
  });
}
