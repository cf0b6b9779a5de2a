import { rmdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { checkPath } from '../engine/checks.ts';
import { checkAppend, checkDisk, checkEvents, checkKind } from '../engine/doctor/file-system.ts';
import { counted, type Finding, fine, problem, some, warning } from '../engine/doctor/finding.ts';
import { checkFolder, checkModes } from '../engine/doctor/folder.ts';
import { checkOrphans } from '../engine/doctor/orphans.ts';
import { checkShells, checkShim } from '../engine/doctor/programs.ts';
import { checkStrays } from '../engine/doctor/strays.ts';
import { OutliveError } from '../errors/error.ts';
import { currentSystem } from '../platform/current.ts';
import { defaultStoreFolder } from '../platform/state-folder.ts';
import type { System } from '../platform/system.ts';
import { namesIn } from '../tasklog/files.ts';
import { sessionPathsIn, sessionsFolder } from '../tasklog/paths.ts';
import { lookAt } from './doctor-look.ts';
import { checkTasks } from './doctor-tasks.ts';

/** What the doctor says of a store. */
export interface Diagnosis {
  /** The store that was looked at. */
  readonly dir: string;
  readonly findings: readonly Finding[];
}

/** What `diagnose` of entry-points.ts does, and throws the same. */
export async function diagnose(options: { readonly dir?: string } = {}): Promise<Diagnosis> {
  const dir = checkPath('dir', options.dir ?? defaultStoreFolder());
  const system = await currentSystem();
  const folder = checkFolder(dir);
  if (folder === null) {
    const none = fine('store', `${dir} is not there yet; the first task makes it`);
    return {
      dir,
      findings: [none, ...checkShells(), ...checkShim(dir), ...(await checkOrphans(dir, system))],
    };
  }
  // In a store that belongs to somebody else there is nothing to look at.
  if (folder.level === 'problem' && folder.mend === null)
    return { dir, findings: [folder, ...checkShells()] };
  const orphans = checkOrphans(dir, system);
  const findings = [folder, checkModes(dir), checkKind(dir), checkDisk(dir), checkAppend(dir)];
  findings.push(await checkEvents(dir), checkStrays(dir, system));
  findings.push(...checkShells(), ...checkShim(dir), ...(await orphans), checkSessions(dir));
  findings.push(...(await tasksOf(dir, system)));
  return { dir, findings };
}

async function tasksOf(dir: string, system: System): Promise<Finding[]> {
  try {
    await using store = await lookAt(dir, system);
    return await checkTasks(store);
  } catch (error) {
    if (!(error instanceof OutliveError)) throw error;
    return [
      problem(
        'store',
        `the store cannot be opened: ${error.message}`,
        error.code === 'STORE_VERSION'
          ? 'Upgrade outlive if a newer one wrote the store. Else move the folder away, or name another store: --store, or OUTLIVE_HOME.'
          : 'Name another store: --store, or OUTLIVE_HOME. If it is a store of this version, remove store.json: it is written anew.',
      ),
    ];
  }
}

/** Sessions that nothing is left of: no task and nothing that is owed. */
function checkSessions(dir: string): Finding {
  const empty = namesIn(sessionsFolder(dir))
    .map((name) => join(sessionsFolder(dir), name))
    .filter((folder) => namesIn(sessionPathsIn(folder).tasks).length === 0);
  if (empty.length === 0) return fine('sessions', 'every session has tasks');
  const finding = `${counted(empty.length, 'session has', 'sessions have')} no tasks any more: ${some(empty)}`;
  return warning('sessions', finding, 'Remove their folders.', async () => {
    const removed = empty.filter(removeEmpty);
    return `${counted(removed.length, 'session is', 'sessions are')} removed`;
  });
}

/** Removing a folder fails when there is something in it, so a task that was added meanwhile is safe. */
function removeEmpty(folder: string): boolean {
  const { tasks, output, record } = sessionPathsIn(folder);
  try {
    for (const part of [output, tasks]) rmdirSync(part);
    unlinkSync(record);
    rmdirSync(folder);
    return true;
  } catch {
    return false;
  }
}
