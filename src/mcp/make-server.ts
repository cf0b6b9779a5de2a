import { Server, type ServerContext } from '@modelcontextprotocol/server';
import type { BindTo } from '../engine/spawn/spawn-request.ts';
import type { Connection } from '../tools/delivery/connection.ts';
import type { RemoteDelivery } from '../tools/fleet/remote-delivery.ts';
import { instructions } from '../tools/instructions.ts';
import { Pushes } from './pushes.ts';
import { clientSessionFor, type ServedRequest } from './request.ts';
import { serveResources } from './resources/methods.ts';
import { serveTasks2025 } from './tasks/tasks-2025.ts';
import { serveTasks2026, tasksExtension } from './tasks/tasks-2026.ts';
import { serveTools } from './tools/methods.ts';
import { packageVersion } from './version.ts';

/** For whom a server instance is made. */
export interface ServerSetup {
  readonly era: 'legacy' | 'modern';
  readonly connection: Connection;
  readonly session: string | null;
  /** The folder in which the server was started; null: it was gone, or the client must name its session anyway. */
  readonly cwd: string | null;
  /** What a task is bound to that is to end with the client. */
  readonly bindTo: BindTo;
  /** The tasks on other hosts; null: this machine is no client of a fleet. */
  readonly remote: RemoteDelivery | null;
  /** Whether answers come as structure, beside the text. */
  readonly structured: boolean;
  /** Whether the client stays connected, so that it can be sent what it has not asked for just then. */
  readonly canPush: boolean;
  requestKey(ctx: ServerContext): unknown;
}

/** A server instance and what it pushes. */
export interface MadeServer {
  readonly server: Server;
  readonly served: ServedRequest;
  readonly pushes: Pushes | null;
}

let version: string | undefined;

/** Makes the server for one connection, or for one request over HTTP, in the generation that the client speaks. */
export function makeServer(setup: ServerSetup): MadeServer {
  const { era, connection, session, cwd, bindTo, remote, structured, canPush } = setup;
  version ??= packageVersion();
  const server = new Server(
    { name: 'outlive', title: 'outlive', version },
    { capabilities: capabilities(era, canPush), instructions },
  );
  const open = (ctx: ServerContext): Promise<unknown> => clientSessionFor(served, ctx);
  const pushes = canPush ? new Pushes(server, { connection, remote, era }, open) : null;
  const served: ServedRequest = {
    server,
    era,
    connection,
    session,
    cwd,
    bindTo,
    remote,
    structured,
    isShared: !canPush,
    requestKey: (ctx) => setup.requestKey(ctx),
    watchTask: pushes === null ? null : (clientSession, told) => pushes.watchTask(clientSession, told),
  };
  serveTools(served);
  serveResources(served);
  if (era === 'legacy') serveTasks2025(served);
  else serveTasks2026(served);
  return { server, served, pushes };
}

function capabilities(era: 'legacy' | 'modern', canPush: boolean) {
  const resources = { subscribe: canPush };
  const common = { tools: {}, resources, ...((canPush || era === 'modern') && { logging: {} }) };
  if (era === 'modern') return { ...common, extensions: { [tasksExtension]: {} } };
  return { ...common, tasks: { list: {}, cancel: {}, requests: { tools: { call: {} } } } };
}
