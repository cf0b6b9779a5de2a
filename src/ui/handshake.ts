import { protocolName } from './protocol.ts';

/**
 * How a page and its server prove to each other that they know the same secret, without sending it. Each sends a nonce,
 * and answers the other's with a MAC (HMAC-SHA-256) of both. The server proves first, so that another program that
 * listens at its port learns nothing from a page. The text names the address, so that a proof for one server is not
 * valid at another. A frozen sample of it is in test/compat/ui.
 */
export type Side = 'server' | 'page';

/** The nonces of both, and the page's address in lower case, as both know it. */
export interface Meeting {
  readonly host: string;
  readonly pageNonce: string;
  readonly nonce: string;
}

/** The answer of a server to the nonce of a page. */
export interface Challenge {
  /** The run of the server: a pass is good for one run. */
  readonly run: string;
  readonly nonce: string;
  /** A proof for each secret that the server accepts: its token, and the pass of this run. */
  readonly proofs: readonly string[];
}

/**
 * The text from which the pass is made. A page keeps the pass in its tab, where a later server at the same address
 * could read it, so it is good for one run.
 */
export function passText(run: string): string {
  return `${protocolName} pass ${run}`;
}

/** The text that a side authenticates with its MAC. */
export function provenText(side: Side, { host, pageNonce, nonce }: Meeting): string {
  return `${protocolName} ${side} ${host} ${pageNonce} ${nonce}`;
}

/** A page sends its proof as a second subprotocol of the WebSocket, since a browser does not let it set a header. */
export function encodeProof({
  pageNonce,
  nonce,
  mac,
}: Omit<Meeting, 'host'> & { readonly mac: string }): string {
  return ['proof', pageNonce, nonce, mac].join('.');
}

/** @returns null if the text is not a proof. */
export function decodeProof(text: string): (Omit<Meeting, 'host'> & { readonly mac: string }) | null {
  const [, pageNonce, nonce, mac] = /^proof\.([\w-]{43})\.([\w-]{30,100})\.([\w-]{43})$/.exec(text) ?? [];
  if (pageNonce === undefined || nonce === undefined || mac === undefined) return null;
  return { pageNonce, nonce, mac };
}

/** 32 random bytes in base64url: a nonce, or a secret that nobody can guess. */
export const randomPattern = /^[\w-]{43}$/;

/**
 * How a key is made from a secret that is not random ({@link randomPattern}): by PBKDF2 with SHA-256. Anybody can ask
 * the server for a proof and then try words offline, so each try must take a while.
 */
export const stretching = { salt: `${protocolName} token`, rounds: 100_000, bytes: 32 } as const;
