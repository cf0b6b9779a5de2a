import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { OutliveError } from '../errors/error.ts';

const shortestToken = 16;

/** The secret that every request must show. */
export interface Token {
  readonly value: string;
  /** Whether this process made the token, since the caller gave none. Then it must show it to a person. */
  readonly wasMade: boolean;
}

/** Where a token may come from. */
interface TokenSource {
  readonly given?: string | undefined;
  readonly file?: string | undefined;
  /** The name of an environment variable. */
  readonly variable?: string;
}

/**
 * The token: as given, else from a file, else from a variable, else a new one of 32 random bytes. The variable is removed
 * from the environment, so that commands do not inherit it.
 * @throws OutliveError `INVALID_ARGUMENT` when it is too short to be a secret, or the file cannot be read.
 */
export function chooseToken({ given, file, variable }: TokenSource): Token {
  const fromEnvironment = variable === undefined ? undefined : process.env[variable];
  if (variable !== undefined) delete process.env[variable];
  const value = given ?? (file === undefined ? fromEnvironment : readToken(file));
  if (value === undefined) return { value: newSecret(), wasMade: true };
  if (value.length >= shortestToken && /^[\x21-\x7e]+$/.test(value)) return { value, wasMade: false };
  throw new OutliveError(
    'INVALID_ARGUMENT',
    `expected the token to be at least ${shortestToken} printable characters without spaces; found ${value.length} characters. Make one with: openssl rand -hex 32`,
  );
}

/** 32 random bytes as 43 characters that may stand in an address. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** Whether an `Authorization` header shows the token. */
export function showsToken(authorization: string | undefined, token: string): boolean {
  return isSecret(/^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1] ?? '', token);
}

/** Whether a text is the secret; takes as long for a wrong one as for the right one. */
export function isSecret(shown: string, secret: string): boolean {
  const [one, other] = [shown, secret].map((text) => createHash('sha256').update(text).digest());
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
