import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { isAbandonedCut } from '../engine/store/sweep-cuts.ts';
import { straysIn } from '../engine/store/sweep-strays.ts';
import type { System } from '../platform/system.ts';
import { namesIn } from '../tasklog/files.ts';
import { programsFolder, sessionPathsIn, sessionsFolder } from '../tasklog/paths.ts';
import { counted, type Finding, fine, some, warning } from './finding.ts';

/** Temporary files that crashed processes left. Opening a session removes its own; this checks all. */
export function checkStrays(dir: string, system: System): Finding {
  const ofStore = [...straysIn(dir), ...straysIn(programsFolder(dir))];
  const strays = [...ofStore, ...sessionFolders(dir).flatMap((folder) => straysOf(folder, system))];
  if (strays.length === 0) return fine('strays', 'no crashed process left a temporary file');
  const finding = `crashed processes left ${counted(strays.length, 'temporary file', 'temporary files')}: ${some(strays)}`;
  return warning('strays', finding, 'Remove them.', async () => {
    for (const path of strays) rmSync(path, { force: true });
    return `${counted(strays.length, 'file is', 'files are')} removed`;
  });
}

function sessionFolders(dir: string): string[] {
  return namesIn(sessionsFolder(dir)).map((name) => join(sessionsFolder(dir), name));
}

function straysOf(folder: string, system: System): string[] {
  const { output } = sessionPathsIn(folder);
  const cuts = namesIn(output).filter((name) => isAbandonedCut(name, system));
  return [...straysIn(folder), ...cuts.map((name) => join(output, name))];
}
