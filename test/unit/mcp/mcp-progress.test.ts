import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServerContext } from '@modelcontextprotocol/server';
import { withProgress } from '../../../src/mcp/tools/progress.ts';
import { waitFor } from '../../support/world.ts';

interface Sent {
  readonly params: { readonly progressToken: unknown; readonly progress: number };
}

/** A client at the far end of a request, which notes what it is sent. */
function client(meta: object): { ctx: ServerContext; sent: Sent[] } {
  const sent: Sent[] = [];
  const notify = async (notification: Sent) => {
    sent.push(notification);
  };
  return { ctx: { mcpReq: { _meta: meta, notify } } as unknown as ServerContext, sent };
}

test('a client that gave a token is told repeatedly that a call goes on, and nothing after its end', async () => {
  const { ctx, sent } = client({ progressToken: 7 });
  const work = waitFor(() => sent.length >= 3, 'progress').then(() => 'done');
  assert.equal(await withProgress(ctx, () => 'wait', work, 2), 'done');
  const count = sent.length;
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(sent.length, count);
  assert.ok(sent.every(({ params }) => params.progressToken === 7));
});

test('a client without a token gets no progress', async () => {
  const { ctx, sent } = client({});
  const work = new Promise((resolve) => setTimeout(resolve, 20));
  await withProgress(ctx, () => 'wait', work, 1);
  assert.deepEqual(sent, []);
});
