import type { KeyObject } from 'node:crypto';
import { OutliveError } from '../../errors/error.ts';
import { crypto, randomHex } from '../../util/crypto.ts';
import { signerForm } from './membership.ts';
import { wireVersion } from './names.ts';

/** The receiver, the signer and the subject of a message, and how long it is valid. */
interface Claims {
  readonly v: number;
  /** `host:<name>`, `coordinator`, or the public key of a client. */
  readonly aud: string;
  /** The public key of the signer: the 32 bytes of Ed25519, in base64url. */
  readonly iss: string;
  /** The subject that the message is sent to. */
  readonly sub: string;
  /** Epoch milliseconds. */
  readonly iat: number;
  readonly exp: number;
  readonly nonce: string;
}

export interface SignOptions {
  readonly audience: string;
  readonly subject: string;
  /** How long the message is valid, in milliseconds, at most 600,000; 30,000 by default. */
  readonly ttlMs?: number;
}

/** What a message must match to be accepted. */
export interface Expected {
  readonly audience: string;
  readonly subject: string;
  /** The public keys that may have signed it. */
  readonly issuers: Pick<ReadonlySet<string>, 'has'>;
  /** Remembers accepted messages, so that none is accepted twice. */
  readonly seen: SeenNonces;
  /** The receiver's time in epoch milliseconds, corrected by the known difference to the sender's clock. */
  readonly now: number;
}

/** The longest time that a message is valid, in milliseconds. The receiver remembers its nonce until then. */
const mostTtlMs = 600_000;

/** The form of a nonce. The length is limited because receivers remember nonces. */
const nonceForm = /^[0-9a-f]{32}$/;

/** If the clocks of signer and receiver differ by more than this, messages are invalid. In milliseconds. */
const clockSlackMs = 120_000;

/** A signing key of Ed25519. */
export interface SigningKey {
  /** The 32 bytes, in base64url. */
  readonly publicKey: string;
  sign(bytes: Uint8Array): Uint8Array;
}

/** Makes a key from its 32 secret bytes, or a new key. */
export function signingKey(seed: Uint8Array = crypto().randomBytes(32)): SigningKey {
  // PKCS#8 has these bytes, and then the seed.
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
  const privateKey = crypto().createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const publicKey = crypto().createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  return {
    publicKey: publicKey.subarray(-32).toString('base64url'),
    sign: (bytes) => crypto().sign(null, bytes, privateKey),
  };
}

/** Signs a message. Its bytes are the signature, a dot, and the claims and the body as JSON with sorted names. */
export function sign(body: unknown, key: SigningKey, options: SignOptions): Uint8Array {
  const iat = Date.now();
  const claims: Claims = {
    v: wireVersion,
    aud: options.audience,
    iss: key.publicKey,
    sub: options.subject,
    iat,
    exp: iat + (options.ttlMs ?? 30_000),
    nonce: randomHex(16),
  };
  const text = canonical({ claims, body });
  const signature = Buffer.from(key.sign(Buffer.from(text))).toString('base64url');
  return Buffer.from(`${signature}.${text}`);
}

/**
 * Checks a message, and returns its body and its signer.
 * @throws OutliveError `FLEET_FORGED` if the message is malformed or changed, has another signer or receiver, is too
 * old, or was accepted before.
 */
export function open(
  bytes: Uint8Array,
  expected: Expected,
): { readonly body: unknown; readonly issuer: string } {
  const whole = Buffer.from(bytes).toString('utf8');
  const dot = whole.indexOf('.');
  const text = whole.slice(dot + 1);
  const parsed = parse(text);
  const { claims, body } = parsed;
  const why = (found: string) =>
    new OutliveError('FLEET_FORGED', `expected a signed message for ${expected.audience}; found ${found}.`);
  if (claims.v !== wireVersion)
    throw why(`version ${String(claims.v)}, but this outlive has version ${wireVersion}`);
  // Only the canonical bytes are valid, so that no two readers understand one message differently.
  if (canonical(parsed) !== text) throw why('a form that is not canonical');
  if (!expected.issuers.has(claims.iss)) throw why('a signer that is not known here');
  if (!isSignature(text, whole.slice(0, Math.max(dot, 0)), claims.iss)) throw why('an invalid signature');
  if (claims.aud !== expected.audience) throw why('one for another receiver');
  if (claims.sub !== expected.subject) throw why('one for another subject');
  if (!nonceForm.test(claims.nonce) || claims.exp - claims.iat > mostTtlMs)
    throw why('a malformed nonce, or a message that is valid for too long');
  if (claims.exp + clockSlackMs < expected.now || claims.iat - clockSlackMs > expected.now)
    throw why(`one that was made ${sinceText(expected.now - claims.iat)}: compare the clocks`);
  if (!expected.seen.take(`${claims.iss}.${claims.nonce}`, claims.exp + clockSlackMs, expected.now))
    throw why('one that was already accepted');
  return { body, issuer: claims.iss };
}

/**
 * When a message was made, in epoch milliseconds of its signer's clock. Nothing is checked here. If the subject of the
 * message proves that it is new, this time shows how the two clocks differ.
 * @throws OutliveError `FLEET_FORGED` if the message is malformed.
 */
export function issuedAt(bytes: Uint8Array): number {
  const whole = Buffer.from(bytes).toString('utf8');
  return parse(whole.slice(whole.indexOf('.') + 1)).claims.iat;
}

/**
 * The key that a message names as its signer. Nothing is checked yet. @throws OutliveError `FLEET_FORGED` if the
 * message is malformed.
 */
export function claimedIssuer(bytes: Uint8Array): string {
  const whole = Buffer.from(bytes).toString('utf8');
  return parse(whole.slice(whole.indexOf('.') + 1)).claims.iss;
}

/** The accepted nonces, each until its message is too old to be accepted again. */
export class SeenNonces {
  readonly #until = new Map<string, number>();

  /** Returns whether a nonce is new, and remembers it. */
  take(nonce: string, until: number, now: number): boolean {
    // A Map keeps the order of insertion, so apart from different lifetimes the first entries expire first.
    for (const [old, end] of this.#until) {
      if (end >= now) break;
      this.#until.delete(old);
    }
    if (this.#until.has(nonce)) return false;
    this.#until.set(nonce, until);
    return true;
  }
}

/** How long ago something happened. The two clocks may differ, so it can be in the future. */
function sinceText(ms: number): string {
  const seconds = Math.round(Math.abs(ms) / 1_000);
  return `${seconds} s ${ms < 0 ? 'in the future' : 'ago'}`;
}

function parse(text: string): { readonly claims: Claims; readonly body: unknown } {
  const malformed = (cause?: unknown) =>
    new OutliveError('FLEET_FORGED', 'expected a signed message; found something else.', { cause });
  let value: { claims?: Partial<Record<keyof Claims, unknown>>; body?: unknown } | null;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw malformed(error);
  }
  const claims = value?.claims;
  if (typeof claims !== 'object' || claims === null) throw malformed();
  const { v, aud, iss, sub, iat, exp, nonce } = claims;
  const texts = [aud, iss, sub, nonce].every((one) => typeof one === 'string');
  if (!texts || ![v, iat, exp].every((one) => Number.isFinite(one))) throw malformed();
  // The answer repeats the signer. With a longer text the answer would be too large for the servers.
  if (!signerForm.test(iss as string)) throw malformed();
  return { claims: claims as Claims, body: value?.body };
}

/** Whether a signature of a text, in base64url, was made with the key that belongs to a public key. */
export function isSignature(text: string, signature: string, publicKey: string): boolean {
  return crypto().verify(null, Buffer.from(text), keyOf(publicKey), Buffer.from(signature, 'base64url'));
}

/** Keys that were made from public keys. Making one takes longer than verifying a signature. */
const keys = new Map<string, KeyObject>();
const mostKeys = 1000;

function keyOf(publicKey: string): KeyObject {
  const known = keys.get(publicKey);
  if (known !== undefined) return known;
  const der = Buffer.concat([
    Buffer.from('302a300506032b6570032100', 'hex'),
    Buffer.from(publicKey, 'base64url'),
  ]);
  const key = crypto().createPublicKey({ key: der, format: 'der', type: 'spki' });
  if (keys.size >= mostKeys) keys.clear();
  keys.set(publicKey, key);
  return key;
}

/** JSON with sorted names in every object, so that the same value always has the same bytes. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_name, one: unknown) =>
    typeof one === 'object' && one !== null && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)))
      : one,
  );
}
