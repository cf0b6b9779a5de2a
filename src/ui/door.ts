import { createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { monotonicMs } from '../util/wait.ts';
import { isSecret, newSecret } from '../web/token.ts';
import {
  type Challenge,
  decodeProof,
  type Meeting,
  passText,
  provenText,
  randomPattern,
  stretching,
} from './handshake.ts';
import type { StreamName } from './protocol.ts';

/** How long a one-time secret, or a nonce that was sent to a page, stays valid, in milliseconds. */
const onceWithinMs = 60_000;

/** How many one-time secrets are kept at most. */
const mostWaiting = 64;

/** The output that a download sends. */
export interface Download {
  readonly taskId: string;
  readonly stream: StreamName;
}

/**
 * The secrets of a server: the token, the pass made from it for this run, the codes for the system's opener, and those
 * of downloads.
 */
export class Door {
  readonly #run = newSecret();
  readonly #pass: string;
  /** The key of the token, and that of the pass. */
  readonly #keys: readonly Buffer[];
  /**
   * The key that seals the nonces of this server. It keeps no nonce that it sends, so nobody can fill its memory with
   * them.
   */
  readonly #own = randomBytes(32);
  /** Nonces that have let a page in, and when each expires. */
  readonly #used = new Map<string, number>();
  readonly #once = new Map<string, { readonly what: 'code' | Download; readonly until: number }>();

  constructor(token: string) {
    const key = keyOf(token);
    this.#pass = macOf(key, passText(this.#run));
    this.#keys = [key, keyOf(this.#pass)];
  }

  /**
   * A code for which a page gets a pass, once and within a minute. The program that opens the page gets it as an
   * argument, which others can see.
   */
  newCode(): string {
    return this.#add('code');
  }

  /** The last part of an address from which an output can be downloaded, once and within a minute. */
  newDownload(download: Download): string {
    return this.#add(download);
  }

  /** Proves to a page that the server knows its secret. @returns null if the page has sent no nonce. */
  challenge(host: string, pageNonce: string): Challenge | null {
    if (!randomPattern.test(pageNonce)) return null;
    const body = Buffer.alloc(6 + 16);
    body.writeUIntBE(Math.ceil(monotonicMs() + onceWithinMs), 0, 6);
    randomBytes(16).copy(body, 6);
    const nonce = Buffer.concat([body, this.#seal(body, host, pageNonce)]).toString('base64url');
    const text = provenText('server', { host, pageNonce, nonce });
    return { run: this.#run, nonce, proofs: this.#keys.map((key) => macOf(key, text)) };
  }

  /** Whether a page proves that it knows the secret. A nonce is good once, and for a minute. */
  letsIn(host: string, shown: string): boolean {
    const proof = decodeProof(shown);
    if (proof === null) return false;
    const until = this.#untilOf({ host, ...proof });
    if (until === null || until < monotonicMs() || this.#used.has(proof.nonce)) return false;
    const text = provenText('page', { host, ...proof });
    if (!this.#keys.some((key) => isSecret(proof.mac, macOf(key, text)))) return false;
    for (const [nonce, end] of this.#used) if (end < monotonicMs()) this.#used.delete(nonce);
    this.#used.set(proof.nonce, until);
    return true;
  }

  /** @returns the pass, which is as good as the token for this run; null if there is no such code, or it was used. */
  takeCode(code: string): string | null {
    return this.#take(code, (what) => what === 'code') === null ? null : this.#pass;
  }

  /** @returns null if there is no such download, or it has begun. */
  takeDownload(secret: string): Download | null {
    const what = this.#take(secret, (found) => found !== 'code');
    return what === 'code' ? null : what;
  }

  /** When a nonce expires; null if this server has not sent it. */
  #untilOf({ host, pageNonce, nonce }: Meeting): number | null {
    const bytes = Buffer.from(nonce, 'base64url');
    const body = bytes.subarray(0, 22);
    const seal = bytes.subarray(22).toString('base64url');
    if (body.length < 22 || !isSecret(seal, this.#seal(body, host, pageNonce).toString('base64url')))
      return null;
    return body.readUIntBE(0, 6);
  }

  #seal(body: Buffer, host: string, pageNonce: string): Buffer {
    return createHmac('sha256', this.#own).update(body).update(`${host} ${pageNonce}`).digest();
  }

  #add(what: 'code' | Download): string {
    const secret = newSecret();
    this.#once.set(secret, { what, until: monotonicMs() + onceWithinMs });
    const [oldest] = this.#once.keys();
    if (this.#once.size > mostWaiting && oldest !== undefined) this.#once.delete(oldest);
    return secret;
  }

  #take(shown: string, isMeant: (what: 'code' | Download) => boolean): 'code' | Download | null {
    for (const [secret, { what, until }] of this.#once) {
      if (until < monotonicMs()) this.#once.delete(secret);
      else if (isMeant(what) && isSecret(shown, secret)) {
        this.#once.delete(secret);
        return what;
      }
    }
    return null;
  }
}

function keyOf(secret: string): Buffer {
  if (randomPattern.test(secret)) return Buffer.from(secret);
  const { salt, rounds, bytes } = stretching;
  return pbkdf2Sync(secret, salt, rounds, bytes, 'sha256');
}

function macOf(key: Buffer, text: string): string {
  return createHmac('sha256', key).update(text).digest('base64url');
}
