import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { runStdioServer } from '../../../src/mcp/index.ts';
import { World, waitFor } from '../../support/world.ts';

test('an invalid message gives one line for a person', async () => {
  await using world = new World();
  const [input, output] = [new PassThrough(), new PassThrough()];
  const told: string[] = [];
  const served = runStdioServer({
    ...{ store: async () => await world.store(), input, output },
    onError: ({ message }) => told.push(message),
  });
  const messages = ['null', '[]', '{"jsonrpc":"1.0","id":7,"method":"ping"}', '{"jsonrpc":"2.0","id":{}}'];
  for (const message of messages) input.write(`${message}\n`);
  await waitFor(() => told.length === messages.length, 'a line for each');
  for (const line of told)
    assert.equal(line, 'expected a message of JSON-RPC 2.0; found one that is none. It gets no answer.');
  input.end();
  await served;
});
