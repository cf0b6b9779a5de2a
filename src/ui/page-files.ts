import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { OutgoingHttpHeaders } from 'node:http';

/** The files that the build makes from ui/page, by the path at which they are served. */
const files: Readonly<Record<string, readonly [file: string, type: string]>> = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/page.js': ['page.js', 'text/javascript; charset=utf-8'],
  '/page.css': ['page.css', 'text/css; charset=utf-8'],
  '/terminal.js': ['terminal.js', 'text/javascript; charset=utf-8'],
  '/terminal.css': ['terminal.css', 'text/css; charset=utf-8'],
  '/icon.svg': ['icon.svg', 'image/svg+xml'],
};

/** The place in the page for the nonce of its styles. */
const noncePlace = 'NONCE_OF_THIS_ANSWER';

export interface PageFile {
  readonly headers: OutgoingHttpHeaders;
  readonly body: Buffer;
}

/** The headers of every answer: no other site may read or frame it, and no cache may keep it. */
export const commonHeaders: OutgoingHttpHeaders = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
};

/**
 * A file of the page.
 * @param host the checked `Host` of the request; the page may open a WebSocket to it.
 * @returns null if there is no file at that path.
 */
export async function pageFile(path: string, host: string): Promise<PageFile | null> {
  const found = Object.hasOwn(files, path) ? files[path] : undefined;
  if (found === undefined) return null;
  const [name, type] = found;
  const content = await readFile(new URL(`../page/${name}`, import.meta.url));
  const nonce = randomBytes(16).toString('base64url');
  const body = path === '/' ? Buffer.from(content.toString().replaceAll(noncePlace, nonce)) : content;
  return {
    body,
    headers: {
      ...commonHeaders,
      'content-type': type,
      'content-security-policy': policy(host, nonce),
      // A client that has not shown the token yet keeps no connection.
      connection: 'close',
    },
  };
}

/** The nonce allows the style elements that the terminal makes. */
function policy(host: string, nonce: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self'",
    `connect-src 'self' ws://${host}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
}
