import { OutliveError, systemCode } from '../../errors/error.ts';

/** The oldest nats-server that the fleet can use. */
const oldestServer = [2, 12] as const;

/** The packages that a fleet needs. outlive does not install them, because most users have one machine. */
const packages =
  '@nats-io/transport-node@3 @nats-io/jetstream@3 @nats-io/kv@3 @nats-io/nkeys@2 @nats-io/jwt@0.0.11';

/** The NATS packages that talk to a server. */
export interface NatsPackages {
  readonly core: typeof import('@nats-io/transport-node');
  readonly jetstream: typeof import('@nats-io/jetstream');
  readonly kv: typeof import('@nats-io/kv');
}

/** The NATS packages that make keys and sign tokens. */
export interface KeyPackages {
  readonly nkeys: typeof import('@nats-io/nkeys');
  readonly jwt: typeof import('@nats-io/jwt');
}

/**
 * Loads the packages that talk to a server.
 * @throws OutliveError `FLEET_PACKAGES` when one of them is not installed.
 */
export async function loadNats(): Promise<NatsPackages> {
  return await installed(async () => ({
    core: await import('@nats-io/transport-node'),
    jetstream: await import('@nats-io/jetstream'),
    kv: await import('@nats-io/kv'),
  }));
}

/**
 * Loads the packages that make keys.
 * @throws OutliveError `FLEET_PACKAGES` when one of them is not installed.
 */
export async function loadKeys(): Promise<KeyPackages> {
  return await installed(async () => ({
    nkeys: await import('@nats-io/nkeys'),
    jwt: await import('@nats-io/jwt'),
  }));
}

async function installed<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const code = systemCode(error);
    if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') throw error;
    throw new OutliveError(
      'FLEET_PACKAGES',
      `expected the NATS packages, which a fleet needs; found that one is missing (${(error as Error).message.split('\n')[0]}). Install them beside outlive (with --global if outlive is installed that way): npm install ${packages}`,
      { cause: error },
    );
  }
}

/**
 * Checks the version of a nats-server.
 * @param said a version, or what `nats-server --version` prints.
 * @throws OutliveError `FLEET_PACKAGES` if the version is too old, or missing.
 */
export function checkServerVersion(said: string): void {
  const [major = 0, minor = 0] = (/(\d+)\.(\d+)\.\d+/.exec(said) ?? []).slice(1).map(Number);
  const [oldestMajor, oldestMinor] = oldestServer;
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return;
  throw new OutliveError(
    'FLEET_PACKAGES',
    `expected nats-server ${oldestServer.join('.')} or newer; found ${said.trim() || 'none'}. Install a newer one, and restart it.`,
  );
}
