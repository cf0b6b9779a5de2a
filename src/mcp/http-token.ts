import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { OutliveError } from '../errors/error.ts';

/** The variable that a token can be given in. */
const tokenVariable = 'OUTLIVE_MCP_TOKEN';

const shortestToken = 16;

/** The secret that every request must show. */
export interface Token {
  readonly value: string;
  /** Nobody gave one, so it was made, and somebody must be told of it. */
  readonly wasMade: boolean;
}

/**
 * The token: as given, else from a file, else from `OUTLIVE_MCP_TOKEN`, else a new one. The variable is removed
 * from the environment, so that commands do not inherit it.
 * @throws OutliveError `INVALID_ARGUMENT` when it is too short to be a secret, or the file cannot be read.
 */
export function chooseToken(given: string | undefined, file: string | undefined): Token {
  const fromEnvironment = process.env[tokenVariable];
  delete process.env[tokenVariable];
  const value = given ?? (file === undefined ? fromEnvironment : readToken(file));
  if (value === undefined) return { value: randomBytes(32).toString('base64url'), wasMade: true };
  if (value.length >= shortestToken && /^[\x21-\x7e]+$/.test(value)) return { value, wasMade: false };
  throw new OutliveError(
    'INVALID_ARGUMENT',
    `expected the token to be at least ${shortestToken} printable characters without spaces; found ${value.length} characters. Make one with: openssl rand -hex 32`,
  );
}

/** Whether an `Authorization` header shows the token; takes as long for a wrong one as for the right one. */
export function showsToken(authorization: string | undefined, token: string): boolean {
  const shown = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1] ?? '';
  const [one, other] = [shown, token].map((text) => createHash('sha256').update(text).digest());
  return one !== undefined && other !== undefined && timingSafeEqual(one, other);
}

function readToken(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new OutliveError(
      'INVALID_ARGUMENT',
      `expected a readable file with the token; found ${error instanceof Error ? error.message : error}.`,
      { cause: error },
    );
  }
}
