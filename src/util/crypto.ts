import { createRequire } from 'node:module';
import { sep } from 'node:path';

let loaded: typeof import('node:crypto') | undefined;

/** Node's crypto, loaded at its first use: that takes 3 ms, and a process that only reads a store does not need it. */
export function crypto(): typeof import('node:crypto') {
  // Where a bundler makes CommonJS of this there is no URL, and a module of Node is found from anywhere.
  loaded ??= createRequire(import.meta.url ?? sep)('node:crypto') as typeof import('node:crypto');
  return loaded;
}

/** What is written down of a secret beforehand, so that a process that shows the secret later proves that it knew it. */
export function sealOf(proof: string): string {
  const { hash, createHash } = crypto();
  // It takes a fifth of the time. Node has it since 20.12.
  const digest = hash?.('sha256', proof, 'hex') ?? createHash('sha256').update(proof).digest('hex');
  return digest.slice(0, 32);
}

/** To ask the generator takes 20 us, whatever the number of bytes. */
const poolBytes = 512;

let pool: Buffer | undefined;
let usedBytes = 0;

/**
 * Random bytes, for ids and secrets.
 * @param bytes how many, up to 64.
 * @returns two hexadecimal digits for each.
 */
export function randomHex(bytes: number): string {
  if (pool === undefined || usedBytes + bytes > poolBytes) {
    pool = crypto().randomBytes(poolBytes);
    usedBytes = 0;
  }
  const end = usedBytes + bytes;
  const hex = pool.toString('hex', usedBytes, end);
  // What is a secret from here on is not to be found here.
  pool.fill(0, usedBytes, end);
  usedBytes = end;
  return hex;
}
