import type { BindTo } from '../engine/spawn/spawn-request.ts';
import type { Connection, Request } from './delivery/connection.ts';
import { callOf } from './delivery/tool-call.ts';
import { checkPlaces } from './fleet/check-places.ts';
import type { RemoteCalls } from './fleet/remote-delivery.ts';
import type { Tool, ToolAnswer, ToolCall } from './tool.ts';

/** On whose behalf a tool is called. */
export interface Caller extends Pick<ToolCall, 'abortSignal' | 'atOnce' | 'follows'> {
  readonly connection: Connection;
  /** For the session of the task that the call names. */
  readonly request: Request;
  /** The folder that the client works in; null: it was gone, or the client has none here. */
  readonly cwd: string | null;
  readonly bindTo: BindTo;
  readonly remote: RemoteCalls | null;
}

/**
 * Calls a tool.
 * @param args as the tool has read them.
 * @throws OutliveError when outlive refuses or fails.
 */
export async function callTool(tool: Tool, args: unknown, caller: Caller): Promise<ToolAnswer> {
  const { connection, request, cwd, bindTo, remote, abortSignal, atOnce, follows } = caller;
  checkPlaces(tool, args, remote);
  return await tool.call(args, {
    ...callOf(connection, request, cwd),
    abortSignal,
    atOnce,
    leftRunning: async () => (cwd === null ? [] : await request.clientSession.leftRunning(cwd)),
    bindTo,
    remote,
    follows,
  });
}
