import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

/** How a server is reached: what a request must name as its host. */
export interface Reached {
  /** Such as `127.0.0.1:7357`, in lower case. */
  readonly hosts: ReadonlySet<string>;
}

/** Why a request is not let in. */
export interface Refusal {
  readonly status: number;
  readonly message: string;
}

/** The hosts by which a server on that address and port is reached. */
export function hostsOf(host: string, port: number): ReadonlySet<string> {
  const names = ['127.0.0.1', 'localhost', '[::1]', host.includes(':') ? `[${host}]` : host];
  const hosts = names.map((name) => `${name.toLowerCase()}:${port}`);
  // Browsers leave the usual port out.
  return new Set(port === 80 ? [...hosts, ...names.map((name) => name.toLowerCase())] : hosts);
}

/**
 * Whether a request may come in at all: it names a host by which this server is reached (else it is somebody's DNS
 * that points here), and no page of another origin has made it.
 * @param isTyped a person may have typed or clicked the address outside of a browser, as that of the page.
 * @returns null: it may.
 */
export function refusalOf(request: IncomingMessage, reached: Reached, isTyped: boolean): Refusal | null {
  const { headers } = request;
  const host = headers.host?.toLowerCase() ?? '';
  if (!reached.hosts.has(host))
    return { status: 403, message: 'expected a Host by which this server is reached' };
  if (headers.origin !== undefined && headers.origin.toLowerCase() !== `http://${host}`)
    return { status: 403, message: 'expected no page of another origin' };
  const site = siteOf(headers);
  const isOwn = site === undefined || site === 'same-origin' || (isTyped && site === 'none');
  return isOwn ? null : { status: 403, message: 'expected no request from another site' };
}

/** The same for the upgrade to a WebSocket, which only a page of ours asks for: with its origin. */
export function upgradeRefusalOf(request: IncomingMessage, reached: Reached): Refusal | null {
  if (request.headers.origin === undefined)
    return { status: 403, message: 'expected the page of this server, which names its origin' };
  return refusalOf(request, reached, false);
}

function siteOf(headers: IncomingHttpHeaders): string | undefined {
  const site = headers['sec-fetch-site'];
  return Array.isArray(site) ? site.join() : site;
}
