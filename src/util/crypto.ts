import { createRequire } from 'node:module';

let loaded: typeof import('node:crypto') | undefined;

/** Node's crypto, loaded at its first use: that takes 3 ms, and whoever only looks at a store needs none of it. */
export function crypto(): typeof import('node:crypto') {
  loaded ??= createRequire(import.meta.url)('node:crypto') as typeof import('node:crypto');
  return loaded;
}

/** What is written down of a secret beforehand, so that whoever shows the secret later proves that he knew it. */
export function sealOf(proof: string): string {
  return crypto().createHash('sha256').update(proof).digest('hex').slice(0, 32);
}
