import { get } from 'node:http';
import type { Task } from '../../src/index.ts';

/** What came of a request: a status and a body, or the code of the error. */
export type Answer =
  | { readonly status: number; readonly body: string }
  | { readonly status: null; readonly code: string };

/** Asks a web server, over a connection of its own. */
export function ask(url: string): Promise<Answer> {
  return new Promise((resolve) => {
    const fail = (error: NodeJS.ErrnoException): void =>
      resolve({ status: null, code: error.code ?? error.message });
    const request = get(url, { agent: false, timeout: 5_000 }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: body.trim() }));
      response.on('error', fail);
    });
    request.on('timeout', () => request.destroy(new Error('no answer in 5 s')));
    request.on('error', fail);
  });
}

/** The address that a web server's task prints, as soon as it is there. */
export async function addressOf(server: Task): Promise<string> {
  let text = '';
  for await (const chunk of server.follow()) {
    text += chunk.text;
    const url = /http:\/\/\S+(?=\s)/.exec(text)?.[0];
    if (url !== undefined) return url;
  }
  throw new Error(`the web server ended without an address; it said: ${text}`);
}
