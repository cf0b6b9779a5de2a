import { ResourceNotFoundError, type ServerContext } from '@modelcontextprotocol/server';
import * as z from 'zod';
import { sayErased } from '../../model/erased.ts';
import { defaults } from '../../model/limits.ts';
import { cleaned } from '../../tools/text/data.ts';
import { type ServedRequest, taskFor } from '../request.ts';
import { outputUri, parseUri, taskUri } from './uris.ts';

const readParams = z.object({ uri: z.string() });

/**
 * Serves the session's tasks and their output as resources, by templates. They are in no list: one that changes with each task
 * would change what clients put in front of their models.
 */
export function serveResources(served: ServedRequest): void {
  const { server } = served;
  server.setRequestHandler('resources/list', () => ({ resources: [] }));
  server.setRequestHandler('resources/templates/list', () => ({ resourceTemplates: templates }));
  server.setRequestHandler('resources/read', { params: readParams }, async ({ uri }, ctx) =>
    read(served, ctx, uri),
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

async function read(served: ServedRequest, ctx: ServerContext, uri: string) {
  const parsed = parseUri(uri);
  if (parsed === null) throw new ResourceNotFoundError(uri);
  const { clientSession, snapshot } = await taskFor(served, ctx, parsed.taskId);
  if (!parsed.isOutput) {
    return { contents: [{ uri, mimeType: 'application/json', text: JSON.stringify(snapshot) }] };
  }
  const chunk = await clientSession.session.task(parsed.taskId).tail();
  const contents = [{ uri, mimeType: 'text/plain', text: cleaned(chunk.text) }];
  // Our own word is no part of the output.
  if (chunk.beginsAt > 0)
    contents.push({
      uri: `${uri}#erased`,
      mimeType: 'text/plain',
      text: `[outlive: ${sayErased(chunk.beginsAt)}]`,
    });
  return { contents };
}
