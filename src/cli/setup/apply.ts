import {
  checkWritable,
  makeFoldersAbove,
  type Owner,
  removeConfig,
  removeFolders,
  replaceConfig,
} from './config-file.ts';
import { unusable } from './piece.ts';
import type { Plan } from './plan.ts';
import { removeRecord, writeRecord } from './record.ts';

/** A file that changes each time is written to all the time. */
const attempts = 5;

/** @throws OutliveError `CONFIG_UNUSABLE` when one of the plans cannot be carried out: none is begun then. */
export function checkPlans(plans: readonly Plan[]): void {
  for (const { file, after } of plans) if (after !== undefined) checkWritable(file);
}

/**
 * Carries out a plan. If its file changes at that moment, it plans again, so that changes by others stay.
 * @throws OutliveError `CONFIG_UNUSABLE`.
 */
export function carryOut(replan: () => Plan, owner: Owner): Plan {
  for (let left = attempts; left > 0; left -= 1) {
    const plan = replan();
    if (isDone(plan, owner)) return plan;
  }
  throw unusable(
    replan().file.path,
    'a file that stays the same for a moment',
    'one that keeps changing',
    'Quit the agent, and call again.',
  );
}

function isDone({ file, after, record, folders }: Plan, owner: Owner): boolean {
  if (after === undefined) {
    if (record === null) removeRecord(file.real);
    return true;
  }
  if (after === null) {
    if (!removeConfig(file, owner)) return false;
    removeRecord(file.real);
    removeFolders(folders);
    return true;
  }
  if (record === null) {
    if (!replaceConfig(file, after, owner)) return false;
    removeRecord(file.real);
    return true;
  }
  const made = makeFoldersAbove(file, owner);
  // Killed between the two, it leaves a record of what is not there, which says nothing of a file with another hash.
  writeRecord({ ...record, folders: [...record.folders, ...made] });
  return replaceConfig(file, after, owner);
}
