import { protocolName } from './protocol.ts';

/**
 * How a page and its server prove to each other that they know the same secret, which itself is never sent: each sends a
 * number that it uses once, and answers the other's with a MAC (HMAC-SHA-256) of both. The server proves first, so that whatever else listens at
 * its port gets nothing of a page. The text names the address, so that a proof made for one server is none at another. A frozen sample
 * of it is in test/compat/ui.
 */
export type Side = 'server' | 'page';

/** What both have sent, and where: the page's address, as both know it, in lower case. */
export interface Meeting {
  readonly host: string;
  readonly pageNonce: string;
  readonly nonce: string;
}

/** What a server answers to the number of a page. */
export interface Challenge {
  /** Which run of the server this is: passes are good for one. */
  readonly run: string;
  readonly nonce: string;
  /** One for each secret that the server takes: its token, and the pass of this run. */
  readonly proofs: readonly string[];
}

/** What of a page's secret is kept in its tab, where a later server at the same address could read it: good for one run of the server. */
export function passText(run: string): string {
  return `${protocolName} pass ${run}`;
}

/** The text of which a side makes the MAC. */
export function provenText(side: Side, { host, pageNonce, nonce }: Meeting): string {
  return `${protocolName} ${side} ${host} ${pageNonce} ${nonce}`;
}

/** Beside the protocol's name a page offers its proof as a protocol: a browser lets it set no header. */
export function encodeProof({
  pageNonce,
  nonce,
  mac,
}: Omit<Meeting, 'host'> & { readonly mac: string }): string {
  return ['proof', pageNonce, nonce, mac].join('.');
}

/** @returns null: it is none. */
export function decodeProof(text: string): (Omit<Meeting, 'host'> & { readonly mac: string }) | null {
  const [, pageNonce, nonce, mac] = /^proof\.([\w-]{43})\.([\w-]{30,100})\.([\w-]{43})$/.exec(text) ?? [];
  if (pageNonce === undefined || nonce === undefined || mac === undefined) return null;
  return { pageNonce, nonce, mac };
}

/** 32 random bytes, as they are written: a number that is used once, or a secret that nobody guesses. */
export const randomPattern = /^[\w-]{43}$/;

/**
 * How the key is made of a secret that is no {@link randomPattern}, by PBKDF2 with SHA-256: everybody can ask the server for a proof, and then try
 * words without it, each of which is to take a while.
 */
export const stretching = { salt: `${protocolName} token`, rounds: 100_000, bytes: 32 } as const;
