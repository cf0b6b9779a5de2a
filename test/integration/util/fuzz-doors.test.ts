import { test } from 'node:test';
import { Paired } from '../../support/acp.ts';
import { acpProperties } from '../../support/fuzz/acp.ts';
import { anyLogHolds } from '../../support/fuzz/logs.ts';
import { mcpProperties } from '../../support/fuzz/mcp.ts';
import { startHttp } from '../../support/mcp-http.ts';
import { tryOften } from '../../support/prove.ts';
import { World } from '../../support/world.ts';

// The long forms are test/prove/fuzz-doors.prove.ts and fuzz-logs.prove.ts.
test('MCP over HTTP: a few calls and requests of any kind are answered', async () => {
  await using world = new World();
  await using server = await startHttp(world);
  for (const property of Object.values(mcpProperties(server, world))) await tryOften(property, 15);
});

test('ACP: a few requests of any kind are answered', async () => {
  await using world = new World();
  using paired = new Paired({ store: await world.store() });
  for (const property of Object.values(acpProperties(() => paired))) await tryOften(property, 40);
});

test('a few sessions with random logs open, tell each end once, and are shown without harm', async () => {
  await using world = new World();
  await tryOften(anyLogHolds(world), 6, { shrink: false });
});
