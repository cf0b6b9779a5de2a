import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JSONRPCRequest } from '@modelcontextprotocol/server';
import { listenForTasks } from '../../../src/mcp/http/listen.ts';
import type { MadeServer } from '../../../src/mcp/make-server.ts';
import type { Connection } from '../../../src/tools/delivery/connection.ts';
import { ExpectedWarnings } from '../../support/expected-warnings.ts';

test('a client whose subscription fails is told that nothing more comes', async () => {
  using _warnings = new ExpectedWarnings(/serving a subscription/);
  const request: JSONRPCRequest = { jsonrpc: '2.0', id: 1, method: 'subscriptions/listen' };
  const broken = new ReadableStream<Uint8Array>({
    pull: (controller) =>
      controller.error(Object.assign(new Error('the disk'), { code: 'EIO', syscall: 'read' })),
  });
  const answer = new Response(broken, { headers: { 'content-type': 'text/event-stream' } });
  const made = { pushes: null } as unknown as MadeServer;
  const listened = listenForTasks(request, answer, {} as unknown as Connection, made);
  await assert.rejects(listened.text(), /the disk/);
});
