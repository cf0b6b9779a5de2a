// The agents, installed from npm into a cache folder outside of the repository ($OUTLIVE_AGENTS_CACHE, else
// outlive-agents in the user's cache folder). All of them take 1.5 GB.
import { mkdirSync, mkdtempSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { cacheFolder, fromNpm } from '../from-npm.mjs';
import { nodeOf } from '../prove/runtimes.mjs';

/** All together may take so long. What has not come by then cannot be had. */
const limitMs = 180_000;

export const cache = resolve(process.env.OUTLIVE_AGENTS_CACHE || cacheFolder('outlive-agents'));

/** A new folder for the HOMEs of agents. Below the folder for temporary files some agents have no sandbox, or another one. */
export function makeHomes() {
  mkdirSync(cache, { recursive: true });
  return mkdtempSync(join(cache, 'homes-'));
}

/**
 * What of these agents can be had: a Node that is new enough for all of them, and the node_modules folder of each by its key.
 * `missing` says why the others cannot.
 */
export function installAgents(wanted) {
  const end = performance.now() + limitMs;
  const modules = {};
  const missing = [];
  const node = had(missing, 'a Node for them', () => newEnough() ?? nodeOf('22'));
  if (node === undefined) return { node, modules, missing };
  for (const { key, name, package: of, version, with: more = [] } of wanted) {
    const folder = join(cache, `${key}-${version}`);
    const path = had(missing, name, () => {
      const left = Math.round(end - performance.now());
      if (left < 1_000) throw new Error(`the time for installing, ${limitMs / 60_000} minutes, is over`);
      return fromNpm(folder, [`${of}@${version}`, ...more], left);
    });
    if (path !== undefined) modules[key] = path;
  }
  return { node, modules, missing };
}

function had(missing, what, get) {
  try {
    return get();
  } catch (error) {
    missing.push(`${what}: ${error.message}`);
  }
}

/** The Node that runs this, if every agent runs on it. */
function newEnough() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  return major > 22 || (major === 22 && minor >= 19) ? process.execPath : undefined;
}
