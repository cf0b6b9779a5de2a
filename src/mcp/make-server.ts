import { Server, type ServerContext } from '@modelcontextprotocol/server';
import type { Peer } from './peer.ts';
import { Pushes } from './pushes.ts';
import { serveResources } from './resource-methods.ts';
import type { Serving } from './serving.ts';
import { serveTasks2025 } from './tasks-2025.ts';
import { serveTasks2026, tasksExtension } from './tasks-2026.ts';
import { serveTools } from './tool-methods.ts';
import { packageVersion } from './version.ts';

const instructions = `outlive runs shell commands that survive this conversation and this server. Start whatever may take longer than a moment with "run". You are told once when a command ends: with the answer of the next call, or as the result of its task. Never poll; when you have nothing else to do, call "wait".`;

/** For whom a server instance is made. */
export interface ServerSetup {
  readonly era: 'legacy' | 'modern';
  readonly peer: Peer;
  readonly session: string | null;
  /** Whether the client stays connected, so that it can be sent what it has not asked for just then. */
  readonly canPush: boolean;
  requestKey(ctx: ServerContext): unknown;
}

/** A server instance and what it pushes. */
export interface MadeServer {
  readonly server: Server;
  readonly serving: Serving;
  readonly pushes: Pushes | null;
}

let version: string | undefined;

/** Makes the server for one connection, or for one request over HTTP, in the generation that the client speaks. */
export function makeServer(setup: ServerSetup): MadeServer {
  const { era, peer, session, canPush } = setup;
  version ??= packageVersion();
  const server = new Server(
    { name: 'outlive', title: 'outlive', version },
    { capabilities: capabilities(era, canPush), instructions },
  );
  const pushes = canPush ? new Pushes(server, peer, era) : null;
  const serving: Serving = {
    server,
    era,
    peer,
    session,
    requestKey: (ctx) => setup.requestKey(ctx),
    watchTask: pushes === null ? null : (desk, taskId) => pushes.watchTask(desk, taskId),
  };
  serveTools(serving);
  serveResources(serving);
  if (era === 'legacy') serveTasks2025(serving);
  else serveTasks2026(serving);
  return { server, serving, pushes };
}

function capabilities(era: 'legacy' | 'modern', canPush: boolean) {
  const resources = { subscribe: canPush, listChanged: canPush };
  const common = { tools: {}, resources, ...((canPush || era === 'modern') && { logging: {} }) };
  if (era === 'modern') return { ...common, extensions: { [tasksExtension]: {} } };
  return { ...common, tasks: { list: {}, cancel: {}, requests: { tools: { call: {} } } } };
}
