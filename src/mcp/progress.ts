import type { ServerContext } from '@modelcontextprotocol/server';
import { monotonicMs } from '../util/wait.ts';

/** Often enough that a client's clock for the request, a minute by default, never runs out. */
const everyMs = 10_000;

/** Tells a client that has asked for it that a long call goes on. */
export async function withProgress<T>(
  ctx: ServerContext,
  what: string,
  work: Promise<T>,
  intervalMs = everyMs,
): Promise<T> {
  const progressToken = ctx.mcpReq._meta?.progressToken;
  if (progressToken === undefined) return await work;
  const startedAt = monotonicMs();
  const timer = setInterval(() => {
    const progress = Math.round((monotonicMs() - startedAt) / 1_000);
    const params = { progressToken, progress, message: `${what}: ${progress} s` };
    ctx.mcpReq.notify({ method: 'notifications/progress', params }).catch(() => undefined);
  }, intervalMs);
  timer.unref();
  try {
    return await work;
  } finally {
    clearInterval(timer);
  }
}
