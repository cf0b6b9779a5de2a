import { hmac } from '@noble/hashes/hmac.js';
import { pbkdf2 } from '@noble/hashes/pbkdf2.js';
import { sha256 } from '@noble/hashes/sha2.js';
import {
  type Challenge,
  encodeProof,
  type Meeting,
  passText,
  provenText,
  randomPattern,
  stretching,
} from '../handshake.ts';

// A browser has its own functions for this only on pages from this machine, not over plain HTTP from another one.

const encoder = new TextEncoder();

/** The key for a secret: the server's token, or a pass. */
export function keyOf(secret: string): Uint8Array {
  const bytes = encoder.encode(secret);
  if (randomPattern.test(secret)) return bytes;
  const { salt, rounds, bytes: dkLen } = stretching;
  return pbkdf2(sha256, bytes, encoder.encode(salt), { c: rounds, dkLen });
}

/** A new nonce. */
export function newNonce(): string {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

/** Whether the server knows the key. */
export function isProven(key: Uint8Array, meeting: Meeting, { proofs }: Challenge): boolean {
  return proofs.includes(macOf(key, provenText('server', meeting)));
}

/** The proof that a page shows to a server that has proven itself. */
export function proofFor(key: Uint8Array, meeting: Meeting): string {
  return encodeProof({ ...meeting, mac: macOf(key, provenText('page', meeting)) });
}

/** The pass, which is as good as the token for one run of the server. */
export function passFor(tokenKey: Uint8Array, run: string): string {
  return macOf(tokenKey, passText(run));
}

function macOf(key: Uint8Array, text: string): string {
  return base64url(hmac(sha256, key, encoder.encode(text)));
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}
