import { openStore } from '../api/open-store.ts';
import { checkPath } from '../engine/session/validate.ts';
import { checkOptions, type OptionNames } from '../errors/check-options.ts';
import { OutliveError, shown } from '../errors/error.ts';
import { currentSystem } from '../platform/current.ts';
import { defaultStoreFolder } from '../platform/state-folder.ts';
import { checkTasks, type DiagnoseProgress } from './doctor-tasks.ts';
import { checkAppend, checkDisk, checkEvents, checkKind } from './file-system.ts';
import { type Finding, fine, problem } from './finding.ts';
import { checkFolder } from './folder.ts';
import { checkLocks } from './locks.ts';
import { checkOrphans } from './orphans.ts';
import { checkShells, checkShim } from './programs.ts';
import { checkSandbox } from './sandbox.ts';
import { checkFiles } from './store-files.ts';
import { checkStrays } from './strays.ts';

/** Which store to look at. */
export interface DiagnoseOptions {
  /** @default as for `openStore` */
  readonly dir?: string;
  /** Called after each session: a store of 100,000 tasks takes seconds. */
  readonly onProgress?: (progress: DiagnoseProgress) => void;
}

const diagnoseOptionNames: OptionNames<DiagnoseOptions> = { dir: true, onProgress: true };

/** What the doctor says of a store. */
export interface Diagnosis {
  /** The store that it checked. */
  readonly dir: string;
  readonly findings: readonly Finding[];
}

/** What `diagnose` of entry-points.ts does, and throws the same. */
export async function diagnose(options: DiagnoseOptions = {}): Promise<Diagnosis> {
  const { onProgress = () => undefined } = checkOptions('diagnose()', options, diagnoseOptionNames);
  if (typeof onProgress !== 'function')
    throw new OutliveError(
      'INVALID_ARGUMENT',
      `expected onProgress to be a function; found ${shown(onProgress)}.`,
    );
  const dir = checkPath('dir', options.dir ?? defaultStoreFolder());
  const system = await currentSystem();
  const folder = checkFolder(dir);
  if (folder === null) {
    const none = fine('store', `${dir} does not exist yet; the first task creates it`);
    return {
      dir,
      findings: [
        none,
        ...checkShells(),
        ...checkShim(dir),
        ...(await checkOrphans(dir, system)),
        ...checkSandbox(system),
      ],
    };
  }
  // It checks nothing in a store of another user.
  if (folder.level === 'problem' && folder.mend === null)
    return { dir, findings: [folder, ...checkShells()] };
  const others = Promise.all([checkOrphans(dir, system), checkLocks(dir)]);
  const { modes, size } = await checkFiles(dir);
  const findings = [folder, modes, checkKind(dir), checkDisk(dir), ...checkAppend(dir), size];
  findings.push(await checkEvents(dir), checkStrays(dir, system));
  findings.push(...checkShells(), ...checkShim(dir), ...(await others).flat(), ...checkSandbox(system));
  findings.push(...(await tasksOf(dir, onProgress)));
  return { dir, findings };
}

async function tasksOf(dir: string, onProgress: (progress: DiagnoseProgress) => void): Promise<Finding[]> {
  try {
    await using store = await openStore({ dir, readOnly: true });
    return await checkTasks(store, onProgress);
  } catch (error) {
    if (!(error instanceof OutliveError)) throw error;
    return [
      problem(
        'store',
        `the store cannot be opened: ${error.message}`,
        error.code === 'STORE_VERSION'
          ? 'Upgrade outlive if a newer one wrote the store. Otherwise move the folder away, or name another store: --store, or OUTLIVE_HOME.'
          : 'Name another store: --store, or OUTLIVE_HOME. If it is a store of this version, remove store.json: outlive writes a new one.',
      ),
    ];
  }
}
