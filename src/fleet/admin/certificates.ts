import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { OutliveError } from '../../errors/error.ts';
import { crypto, randomHex } from '../../util/crypto.ts';

/** How long a certificate is valid. The authority signs nothing else, and members know it by its fingerprint. */
const days = '3650';

/** A certificate and its secret key, as PEM. */
export interface Certificate {
  readonly certificate: string;
  readonly key: string;
}

/**
 * Creates the certificate authority of a fleet. Node can read certificates but not create them. openssl can, and a
 * machine with a server has it. A library for it would add a dozen packages, for something that is done once.
 * @param folder a folder that only this user can read, for the temporary files of openssl.
 * @throws OutliveError `FLEET_PACKAGES` if openssl is missing or fails.
 */
export function makeAuthority(folder: string): Certificate {
  const key = newKey();
  const extensions = ['basicConstraints=critical,CA:true,pathlen:0', 'keyUsage=critical,keyCertSign'];
  const config = configOf('outlive fleet authority', extensions);
  const certificate = openssl(
    folder,
    ['req', '-x509', '-new', '-sha256', '-days', days, '-config', 'config', '-key', 'key'],
    { config, key },
  );
  return { certificate, key };
}

/**
 * Creates the certificate of the servers, signed by the authority.
 * @param hosts the names and IP addresses by which members reach them.
 */
export function makeServerCertificate(
  folder: string,
  authority: Certificate,
  hosts: readonly string[],
): Certificate {
  const key = newKey();
  const names = hosts.map((host) => `${isIP(host) === 0 ? 'DNS' : 'IP'}:${host}`);
  const extensions = [
    'basicConstraints=critical,CA:false',
    'keyUsage=critical,digitalSignature',
    // The servers are clients of each other.
    'extendedKeyUsage=serverAuth,clientAuth',
    `subjectAltName=${names.join(',')}`,
  ];
  const config = configOf('outlive fleet server', extensions);
  const request = openssl(folder, ['req', '-new', '-sha256', '-config', 'config', '-key', 'key'], {
    config,
    key,
  });
  const certificate = openssl(
    folder,
    [
      ...['x509', '-req', '-sha256', '-days', days, '-set_serial', `0x00${randomHex(16)}`],
      ...['-extfile', 'config', '-extensions', 'extensions'],
      ...['-in', 'request', '-CA', 'authority', '-CAkey', 'key'],
    ],
    { config, request, authority: authority.certificate, key: authority.key },
  );
  return { certificate, key };
}

/** The fingerprint by which a newcomer knows the authority: the SHA-256 of its certificate, in base64url. */
export function pinOf(certificate: string | Buffer): string {
  const { createHash, X509Certificate } = crypto();
  return createHash('sha256').update(new X509Certificate(certificate).raw).digest('base64url');
}

function newKey(): string {
  const { privateKey } = crypto().generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
}

function configOf(name: string, extensions: readonly string[]): string {
  return [
    ...['[req]', 'prompt=no', 'distinguished_name=name', 'x509_extensions=extensions'],
    ...['[name]', `CN=${name}`, '[extensions]', ...extensions, ''],
  ].join('\n');
}

/** Runs openssl in a new folder with its files. Every user can read a command line, so the secrets are in files. */
function openssl(folder: string, args: readonly string[], files: Readonly<Record<string, string>>): string {
  const own = mkdtempSync(join(folder, 'draft-'));
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(own, name), text, { mode: 0o600 });
    const { status, stdout, stderr, error } = spawnSync('openssl', args, { cwd: own, encoding: 'utf8' });
    const [certificate] =
      /-----BEGIN [A-Z ]+-----[A-Za-z\d+/=\n]+-----END [A-Z ]+-----\n/.exec(stdout ?? '') ?? [];
    if (status === 0 && certificate !== undefined) return certificate;
    throw new OutliveError(
      'FLEET_PACKAGES',
      `expected openssl, which creates the certificates of a fleet that is not on loopback; found ${error?.message ?? (stderr.trim() || 'no output from it')}. Install it.`,
      { cause: error },
    );
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
}
