import { createRequire } from 'node:module';
import { sep } from 'node:path';

let loaded: typeof import('node:crypto') | undefined;

/** Node's crypto, loaded at its first use: that takes 3 ms, and whoever only looks at a store needs none of it. */
export function crypto(): typeof import('node:crypto') {
  // Where a bundler makes CommonJS of this there is no URL, and a module of Node is found from anywhere.
  loaded ??= createRequire(import.meta.url ?? sep)('node:crypto') as typeof import('node:crypto');
  return loaded;
}

/** What is written down of a secret beforehand, so that whoever shows the secret later proves that he knew it. */
export function sealOf(proof: string): string {
  return crypto().createHash('sha256').update(proof).digest('hex').slice(0, 32);
}
