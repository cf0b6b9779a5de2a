import type { JSONRPCNotification, JSONRPCRequest } from '@modelcontextprotocol/server';
import type { Connection } from '../../tools/delivery/connection.ts';
import type { MadeServer } from '../make-server.ts';
import { report } from '../report.ts';
import { TaskSubscriptions } from '../tasks/task-subscriptions.ts';

const keepAliveMs = 15_000;

/**
 * The stream of a client that listens for tasks. The SDK's own answer, which knows nothing of tasks, is read, its
 * acknowledgement completed, and its end held back until the tasks have ended.
 */
export function listenForTasks(
  request: JSONRPCRequest,
  answer: Response,
  connection: Connection,
  made: MadeServer,
): Response {
  const source = answer.body;
  if (source === null || !(answer.headers.get('content-type') ?? '').includes('event-stream')) return answer;
  // Another connection's request proves nothing about this stream, so what is sent on it is no delivery.
  const subscriptions = new TaskSubscriptions(connection, () => made, { proves: false });
  subscriptions.requested(request);
  const reader = source.getReader();
  const encoder = new TextEncoder();
  let timer: NodeJS.Timeout | undefined;
  const end = (): void => {
    clearInterval(timer);
    subscriptions.close();
  };
  const body = new ReadableStream<Uint8Array>({
    async start(controller) {
      const write = (text: string): void => controller.enqueue(encoder.encode(text));
      timer = setInterval(() => write(': keepalive\n\n'), keepAliveMs);
      timer.unref();
      try {
        await relay(reader, subscriptions, write);
        controller.close();
      } catch (error) {
        // If the client is gone there is nobody to tell. Else it learns that nothing more comes, and asks again.
        report('serving a subscription', error);
        controller.error(error);
      } finally {
        end();
      }
    },
    async cancel() {
      end();
      await reader.cancel();
    },
  });
  return new Response(body, { status: answer.status, headers: answer.headers });
}

async function relay(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  subscriptions: TaskSubscriptions,
  write: (text: string) => void,
): Promise<void> {
  const send = async (message: unknown): Promise<void> =>
    write(`event: message\ndata: ${JSON.stringify(message)}\n\n`);
  let last: unknown = null;
  let ends: Promise<void> = Promise.resolve();
  for await (const message of messages(reader)) {
    const acknowledged = await subscriptions.acknowledged(message as JSONRPCNotification);
    if (acknowledged !== null) {
      await send(acknowledged);
      ends = subscriptions.begin(acknowledged, send);
    } else if (typeof message === 'object' && message !== null && 'result' in message) last = message;
    else await send(message);
  }
  await ends;
  if (last !== null) await send(last);
}

/** The messages of a stream of events. */
async function* messages(reader: ReadableStreamDefaultReader<Uint8Array>): AsyncGenerator<object> {
  const decoder = new TextDecoder();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += decoder.decode(value, { stream: true });
    const events = text.split('\n\n');
    text = events.pop() ?? '';
    for (const event of events) {
      const data = event.split('\n').find((line) => line.startsWith('data: '));
      if (data !== undefined) yield JSON.parse(data.slice('data: '.length));
    }
  }
}
