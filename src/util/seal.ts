import { crypto } from './crypto.ts';

/** What is written down of a secret beforehand, so that whoever shows the secret later proves that he knew it. */
export function sealOf(proof: string): string {
  return crypto().createHash('sha256').update(proof).digest('hex').slice(0, 32);
}
