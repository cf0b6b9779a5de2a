import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './cast.ts';

/** Stores of earlier scenes that are kept, to be looked at; more than one scene may be playing. */
const kept = 5;

/**
 * Makes a folder for the store of one scene, in build/ so that it survives a restart of the machine and is not
 * taken for a source, and removes those of the oldest scenes.
 */
export function sceneFolder(): string {
  const all = join(root, 'build', 'scene');
  mkdirSync(all, { recursive: true });
  const old = readdirSync(all).sort().slice(0, -kept);
  for (const name of old) rmSync(join(all, name), { recursive: true, force: true });
  const name = new Date().toISOString().replaceAll(':', '-').replace('Z', `-${process.pid}`);
  return join(all, name);
}
