import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { hostname, networkInterfaces } from 'node:os';
import { isLoopback } from '../platform/loopback.ts';

/** Whether a `Host` such as `127.0.0.1:7357`, in lower case, names this server. */
export type Reached = (host: string) => boolean;

/** Why a request is not let in. */
export interface Refusal {
  readonly status: number;
  readonly message: string;
}

/** The test for a server on that address and port. */
export function reachedAt(host: string, port: number): Reached {
  const isHere = (name: string): boolean => name === inAddress(host) || namesAt(host).includes(name);
  return (asked) => {
    // Browsers leave out the default port.
    const [, name = '', ofPort = ':80'] = /^(.*?)(:\d+)?$/.exec(asked) ?? [];
    return ofPort === `:${port}` && isHere(name);
  };
}

/**
 * Other names of the server. A DNS name of somebody else that points here is not among them, nor an address at which
 * others can listen.
 */
function namesAt(host: string): readonly string[] {
  if (isLoopback(host)) return host === '::1' ? ['[::1]', 'localhost'] : ['127.0.0.1', 'localhost'];
  if (host !== '0.0.0.0' && host !== '::') return [];
  // The addresses change while the server runs.
  const found = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  return [...loopbackNames, hostname().toLowerCase(), ...found.map(({ address }) => inAddress(address))];
}

const loopbackNames: readonly string[] = ['127.0.0.1', 'localhost', '[::1]'];

/** The host as a browser writes it in a URL. */
function inAddress(host: string): string {
  return (host.includes(':') ? `[${host}]` : host).toLowerCase();
}

/**
 * Whether a request may come in at all: its `Host` names this server (else somebody's DNS name points here), and no
 * page of another origin has made it.
 * @param isTyped whether a person may have typed the address, or clicked it outside of a browser: true for the page
 * itself.
 * @returns null if it may.
 */
export function refusalOf(request: IncomingMessage, reached: Reached, isTyped: boolean): Refusal | null {
  const { headers } = request;
  const host = headers.host?.toLowerCase() ?? '';
  if (!reached(host)) return { status: 403, message: 'expected a Host by which this server is reached' };
  if (headers.origin !== undefined && headers.origin.toLowerCase() !== `http://${host}`)
    return { status: 403, message: 'expected no page of another origin' };
  const site = siteOf(headers);
  const isOwn = site === undefined || site === 'same-origin' || (isTyped && site === 'none');
  return isOwn ? null : { status: 403, message: 'expected no request from another site' };
}

/** The same for the upgrade to a WebSocket. Only our own pages ask for it, and they send their origin. */
export function upgradeRefusalOf(request: IncomingMessage, reached: Reached): Refusal | null {
  if (request.headers.origin === undefined)
    return { status: 403, message: 'expected the page of this server, which names its origin' };
  return refusalOf(request, reached, false);
}

function siteOf(headers: IncomingHttpHeaders): string | undefined {
  const site = headers['sec-fetch-site'];
  return Array.isArray(site) ? site.join() : site;
}
