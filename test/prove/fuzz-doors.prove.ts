import { test } from 'node:test';
import { Paired } from '../support/acp.ts';
import { acpProperties } from '../support/fuzz/acp.ts';
import { mcpProperties } from '../support/fuzz/mcp.ts';
import { startHttp } from '../support/mcp-http.ts';
import { prove } from '../support/prove.ts';
import { World } from '../support/world.ts';

test('MCP over HTTP: whatever comes in, the server answers and survives', async (t) => {
  await using world = new World();
  await using server = await startHttp(world);
  for (const [says, property] of Object.entries(mcpProperties(server, world)))
    t.diagnostic(`${says}: ${await prove(property, { share: 0.35, atOnce: 20 })} values`);
});

test('ACP: whatever comes in, the answer is a message of the protocol', async (t) => {
  await using world = new World();
  using paired = new Paired({ store: await world.store() });
  for (const [says, property] of Object.entries(acpProperties(() => paired)))
    t.diagnostic(`${says}: ${await prove(property, { share: 0.3, atOnce: 20 })} values`);
});
