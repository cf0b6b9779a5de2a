import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { OutliveError, systemCode } from '../../errors/error.ts';
import { careful } from '../../tasklog/files.ts';

const mostBytes = 1_024 ** 2;

/**
 * Reads secrets from the host's own file. It has lines `NAME=value`, empty lines, and comments that begin with `#`.
 * Only the user may read or write the file.
 * @param wanted for each variable, the name of a secret.
 * @param path `null`: this host has no such file.
 * @returns for each variable, its value.
 * @throws OutliveError `INVALID_ENV`.
 */
export function resolveSecrets(
  wanted: Readonly<Record<string, string>>,
  path: string | null,
): Readonly<Record<string, string>> {
  if (Object.keys(wanted).length === 0) return {};
  const secrets = path === null ? null : readSecrets(path);
  return Object.fromEntries(
    Object.entries(wanted).map(([variable, name]) => {
      const value = secrets?.get(name);
      if (value !== undefined) return [variable, value];
      const found = secrets === null ? 'that this host has no secrets file' : 'no secret with that name';
      throw new OutliveError(
        'INVALID_ENV',
        `expected a secret ${JSON.stringify(name)} for ${variable} in the secrets file of this host; found ${found}. Add a line NAME=value to the file secrets in the folder of the fleet there, with mode 0600.`,
      );
    }),
  );
}

function readSecrets(path: string): Map<string, string> | null {
  const lines = readPrivate(path)?.split('\n') ?? null;
  if (lines === null) return null;
  const secrets = new Map<string, string>();
  for (const line of lines) {
    const at = line.indexOf('=');
    if (!line.startsWith('#') && at > 0) secrets.set(line.slice(0, at).trim(), line.slice(at + 1));
  }
  return secrets;
}

function readPrivate(path: string): string | null {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | careful);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw unsafe(path, `that outlive cannot open it (${systemCode(error)})`, error);
  }
  try {
    const { mode, uid, size } = fstatSync(descriptor);
    if ((mode & constants.S_IFMT) !== constants.S_IFREG) throw unsafe(path, 'something other than a file');
    if ((mode & 0o077) !== 0) throw unsafe(path, `mode ${(mode & 0o777).toString(8)}`);
    if (uid !== process.geteuid?.()) throw unsafe(path, 'the file of another user');
    if (size > mostBytes) throw unsafe(path, `${size} bytes`);
    return readFileSync(descriptor, 'utf8');
  } finally {
    closeSync(descriptor);
  }
}

function unsafe(path: string, found: string, cause?: unknown): OutliveError {
  return new OutliveError(
    'INVALID_ENV',
    `expected the secrets file ${path} to be a file of this user with mode 0600, of at most 1 MiB; found ${found}.`,
    { cause },
  );
}
