import { monotonicMs } from '../util/wait.ts';
import { isSecret, newSecret } from '../web/token.ts';
import type { StreamName } from './protocol.ts';

/** So long a secret that is used once may wait for that, in milliseconds. */
const onceWithinMs = 60_000;

/** At most so many wait. */
const mostWaiting = 64;

/** What a download is of. */
export interface Download {
  readonly taskId: string;
  readonly stream: StreamName;
}

/** The secrets of a server: the token, the code for the system's opener, and those of downloads, each of which is used once. */
export class Door {
  readonly #token: string;
  readonly #once = new Map<string, { readonly what: 'code' | Download; readonly until: number }>();

  constructor(token: string) {
    this.#token = token;
  }

  /** A code for which a page gets the token, once and within a minute. What opens a page is told it as an argument, which others can see. */
  newCode(): string {
    return this.#add('code');
  }

  /** The last part of an address from which an output can be downloaded, once and within a minute. */
  newDownload(download: Download): string {
    return this.#add(download);
  }

  get token(): string {
    return this.#token;
  }

  isToken(shown: string): boolean {
    return isSecret(shown, this.#token);
  }

  /** @returns the token; null: there is no such code, or it was used. */
  takeCode(code: string): string | null {
    return this.#take(code, (what) => what === 'code') === null ? null : this.#token;
  }

  /** @returns null: there is no such download, or it was begun. */
  takeDownload(secret: string): Download | null {
    const what = this.#take(secret, (found) => found !== 'code');
    return what === 'code' ? null : what;
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
