import { OutliveError, shown } from '../../errors/error.ts';
import { isLoopback } from '../../platform/loopback.ts';

/** The address of a server of a fleet. */
export interface Address {
  /** A name, or an IP address without brackets. */
  readonly host: string;
  readonly port: number;
  /** Whether the connection is not encrypted: only on loopback, and only without `tls://`. */
  readonly isPlain: boolean;
}

/** The default port of NATS. */
const usualPort = 4222;

/**
 * Reads an address: `host`, `host:port`, `[::1]:port`. `tls://` before it asks for TLS on loopback too.
 * @throws OutliveError `INVALID_ARGUMENT` if it is not an address.
 */
export function parseAddress(text: string): Address {
  const [, bracketed, named, digits] =
    /^(?:tls:\/\/)?(?:\[([\da-fA-F:.]+)\]|([\w.-]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = bracketed ?? named;
  const port = digits === undefined ? usualPort : Number(digits);
  if (host === undefined || port < 1 || port > 65_535)
    throw new OutliveError(
      'INVALID_ARGUMENT',
      `expected the address of a server, as host:${usualPort} or [::1]:${usualPort}; found ${shown(text)}.`,
    );
  return { host, port, isPlain: isLoopback(host) && !text.startsWith('tls:') };
}

/** The text of an address, as {@link parseAddress} reads it. */
export function addressText({ host, port, isPlain }: Address): string {
  return `${isLoopback(host) && !isPlain ? 'tls://' : ''}${endpoint({ host, port })}`;
}

/** Only host and port, the form that programs accept. */
export function endpoint({ host, port }: Pick<Address, 'host' | 'port'>): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
