import { ResourceNotFoundError, type ServerContext } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { defaults } from '../model/limits.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { sayFate } from './present.ts';
import { deskFor, invalidParams, type Serving, taskFor } from './serving.ts';
import { outputUri, parseUri, taskUri } from './uris.ts';

const pageSize = 50;
const listParams = z.object({ cursor: z.string().optional() });
const readParams = z.object({ uri: z.string() });

/** Serves the session's tasks and their output as resources. */
export function serveResources(serving: Serving): void {
  const { server } = serving;
  server.setRequestHandler('resources/list', { params: listParams }, async ({ cursor }, ctx) =>
    list(serving, ctx, cursor),
  );
  server.setRequestHandler('resources/templates/list', () => ({ resourceTemplates: templates }));
  server.setRequestHandler('resources/read', { params: readParams }, async ({ uri }, ctx) =>
    read(serving, ctx, uri),
  );
}

const templates = [
  {
    uriTemplate: taskUri('{taskId}'),
    name: 'task',
    description: 'A task: what was asked, its status, how it ended',
    mimeType: 'application/json',
  },
  {
    uriTemplate: outputUri('{taskId}'),
    name: 'output',
    description: `The end of what a task has written, up to ${defaults.readBytes} bytes`,
    mimeType: 'text/plain',
  },
];

/** The tasks, the newest first, each with its output; the cursor is the last id of the page before. */
async function list(serving: Serving, ctx: ServerContext, cursor: string | undefined) {
  const desk = await deskFor(serving, ctx);
  const tasks = (await desk.session.tasks()).reverse();
  const from = cursor === undefined ? 0 : tasks.findIndex(({ taskId }) => taskId === cursor) + 1;
  if (cursor !== undefined && from === 0) {
    throw invalidParams(`expected a cursor that this server gave out; found ${JSON.stringify(cursor)}.`);
  }
  const page = tasks.slice(from, from + pageSize);
  const more = tasks.length > from + pageSize;
  return { resources: page.flatMap(entries), ...(more && { nextCursor: page.at(-1)?.taskId }) };
}

function entries(task: TaskSnapshot) {
  const { taskId } = task;
  const name = task.name ?? taskId;
  const description = `${sayFate(task)}: ${task.command.slice(0, 100)}`;
  return [
    { uri: taskUri(taskId), name, description, mimeType: 'application/json' },
    { uri: outputUri(taskId), name: `output of ${name}`, description, mimeType: 'text/plain' },
  ];
}

async function read(serving: Serving, ctx: ServerContext, uri: string) {
  const parsed = parseUri(uri);
  if (parsed === null) throw new ResourceNotFoundError(uri);
  const { desk, snapshot } = await taskFor(serving, ctx, parsed.taskId);
  if (!parsed.isOutput) {
    return { contents: [{ uri, mimeType: 'application/json', text: JSON.stringify(snapshot) }] };
  }
  const chunk = await desk.session.task(parsed.taskId).tail();
  return { contents: [{ uri, mimeType: 'text/plain', text: chunk.plain }] };
}
