import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { roomIn } from '../../web/room-in.ts';
import { send } from '../report.ts';

/** A request of Node's as the web has it. Its signal is aborted when the client goes away. */
export function webRequest(request: IncomingMessage, response: ServerResponse): Request {
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort();
  });
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined && !name.startsWith(':')) headers.set(name, [value].flat().join(', '));
  }
  const { method = 'GET' } = request;
  const hasBody = method !== 'GET' && method !== 'HEAD';
  const body = hasBody ? (Readable.toWeb(request) as ReadableStream) : null;
  const init = { method, headers, body, signal: gone.signal, ...(hasBody && { duplex: 'half' }) };
  return new Request(
    `http://localhost${request.url?.startsWith('/') ? request.url : '/'}`,
    init as RequestInit,
  );
}

/** Writes an answer of the web to Node's response, at the pace of the client. */
export async function writeResponse(answer: Response, response: ServerResponse): Promise<void> {
  response.writeHead(answer.status, Object.fromEntries(answer.headers));
  if (answer.body === null) {
    response.end();
    return;
  }
  response.flushHeaders();
  const reader = answer.body.getReader();
  response.once('close', () => send('ending an answer', reader.cancel()));
  for (;;) {
    const { done, value } = await reader.read();
    if (done || response.destroyed) break;
    if (!response.write(value)) await roomIn(response);
  }
  response.end();
}
