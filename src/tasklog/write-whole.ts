import { fdatasyncSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { crypto } from '../util/crypto.ts';
import { renameWhole } from '../util/rename.ts';
import { letGo } from './let-go.ts';

/** Writes a small file so that it is there whole or not at all; of several writers the last one counts. */
export function writeWhole(path: string, content: string): void {
  const temporary = `${path}.${crypto().randomBytes(6).toString('hex')}.tmp`;
  try {
    writeSynced(temporary, content);
    renameWhole(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** On the disk before it gets its name: after a power failure the name would else be that of an empty file. */
function writeSynced(path: string, content: string): void {
  const descriptor = openSync(path, 'wx', 0o600);
  try {
    writeFileSync(descriptor, content);
    fdatasyncSync(descriptor);
  } finally {
    letGo(descriptor);
  }
}
