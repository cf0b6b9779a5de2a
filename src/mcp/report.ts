import { SdkError } from '@modelcontextprotocol/server';
import { report as reportOthers } from '../tools/delivery/report.ts';

/** The errors of streams whose other end is gone. */
const away: ReadonlySet<unknown> = new Set([
  ...['EPIPE', 'ECONNRESET', 'ECONNABORTED', 'ABORT_ERR', 'ERR_INVALID_STATE', 'ERR_STREAM_DESTROYED'],
  ...['ERR_STREAM_WRITE_AFTER_END', 'ERR_STREAM_PREMATURE_CLOSE'],
]);

/** Reports what failed while nobody waited for it, unless the client has gone away, the session was closed, or it passes. */
export function report(doing: string, error: unknown, sessionId: string | null = null): void {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  if (!(error instanceof SdkError) && !away.has(code)) reportOthers(doing, error, sessionId);
}

/** Sends something to a client that has not asked for it just now, and may be gone. */
export function send(doing: string, sending: Promise<unknown>): void {
  sending.catch((error: unknown) => report(doing, error));
}
