import type { Challenge } from '../handshake.ts';
import { isProven, keyOf, newNonce, passFor, proofFor } from './proof.ts';

const storageKey = 'outlive-pass';

/** How long other pages of this server have to answer, in milliseconds. */
const answerMs = 300;

/**
 * The key by which a page and its server know each other. A token may be good for later runs of the server too, so it
 * stays in the memory of this page: the next server at this address could read the storage of a tab. So the storage has
 * only a pass, which is good for one run.
 */
export interface Key {
  readonly bytes: Uint8Array;
  readonly isToken: boolean;
}

/** Pages of one server, in one browser, give the pass to a new page: a new tab has none. */
const channel = new BroadcastChannel(storageKey);
channel.onmessage = ({ data }) => {
  const pass = sessionStorage.getItem(storageKey);
  if (data === 'ask' && pass !== null) channel.postMessage({ pass });
};

/**
 * Finds the key: from the token or the code in the fragment of the address, which no server sees, or from this tab or
 * another one. It removes the token or code from the address.
 * @returns null if the reader must enter it.
 */
export async function findKey(): Promise<Key | null> {
  const [, kind, secret = ''] = /^#(token|code)=([\w-]+)$/.exec(location.hash) ?? [];
  if (kind === undefined) return passKey(sessionStorage.getItem(storageKey) ?? (await askOthers(null)));
  history.replaceState(null, '', '#/');
  return kind === 'token' ? keyOfToken(secret) : passKey(await passOfCode(secret));
}

/** The key of a token that a reader has entered. */
export function keyOfToken(token: string): Key {
  return { bytes: keyOf(token), isToken: true };
}

/**
 * Asks the server at this address to prove that it knows the key. The key is not sent.
 * @returns the proof to show it; `stranger` if it does not know the key; null if nothing answers.
 */
export async function meet(key: Key): Promise<string | 'stranger' | null> {
  const pageNonce = newNonce();
  try {
    const answer = await fetch('/challenge', { method: 'POST', body: pageNonce, redirect: 'error' });
    const challenge = answer.ok ? challengeIn(await answer.text()) : null;
    if (challenge === null) return 'stranger';
    const meeting = { host: location.host, pageNonce, nonce: challenge.nonce };
    if (!isProven(key.bytes, meeting, challenge)) return 'stranger';
    if (key.isToken) keepPass(passFor(key.bytes, challenge.run));
    return proofFor(key.bytes, meeting);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return null;
  }
}

/**
 * The key of another page, if it differs from ours: the server was started again, and that page was given its token.
 */
export async function keyOfOthers(): Promise<Key | null> {
  return passKey(await askOthers(sessionStorage.getItem(storageKey)));
}

/** @returns null if the answer is not from a server of ours. */
function challengeIn(text: string): Challenge | null {
  try {
    const { run, nonce, proofs } = JSON.parse(text);
    return typeof run === 'string' && typeof nonce === 'string' && Array.isArray(proofs)
      ? { run, nonce, proofs }
      : null;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return null;
    throw error;
  }
}

function passKey(pass: string | null): Key | null {
  return pass === null ? null : { bytes: keyOf(pass), isToken: false };
}

function keepPass(pass: string): void {
  sessionStorage.setItem(storageKey, pass);
}

async function passOfCode(code: string): Promise<string | null> {
  const answer = await fetch('/door', { method: 'POST', body: code, redirect: 'error' });
  if (!answer.ok) return null;
  const pass = await answer.text();
  keepPass(pass);
  return pass;
}

/** @param known the pass that this page has already. */
function askOthers(known: string | null): Promise<string | null> {
  return new Promise((resolve) => {
    const other = new BroadcastChannel(storageKey);
    const done = (pass: string | null): void => {
      clearTimeout(timer);
      other.close();
      if (pass !== null) keepPass(pass);
      resolve(pass);
    };
    const timer = setTimeout(done, answerMs, null);
    other.onmessage = ({ data }) => {
      if (typeof data?.pass === 'string' && data.pass !== known) done(data.pass);
    };
    other.postMessage('ask');
  });
}
