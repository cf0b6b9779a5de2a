import type { ServerContext } from '@modelcontextprotocol/server';
import { monotonicMs } from '../../util/wait.ts';
import { send } from '../report.ts';

/** Often enough that a client's clock for the request, a minute by default, never runs out. */
const everyMs = 10_000;

/**
 * Tells a client that has asked for it that a long call goes on.
 * @param say what it does just now.
 */
export async function withProgress<T>(
  ctx: ServerContext,
  say: () => string,
  work: Promise<T>,
  intervalMs = everyMs,
): Promise<T> {
  const progressToken = ctx.mcpReq._meta?.progressToken;
  if (progressToken === undefined) return await work;
  const startedAt = monotonicMs();
  const timer = setInterval(() => {
    const progress = Math.round((monotonicMs() - startedAt) / 1_000);
    const params = { progressToken, progress, message: `${progress} s: ${say()}` };
    send('sending progress', ctx.mcpReq.notify({ method: 'notifications/progress', params }));
  }, intervalMs);
  timer.unref();
  try {
    return await work;
  } finally {
    clearInterval(timer);
  }
}
