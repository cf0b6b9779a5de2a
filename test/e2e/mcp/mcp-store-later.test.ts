import assert from 'node:assert/strict';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { McpProcess } from '../../support/mcp-process.ts';
import { installedCommand } from '../../support/packed.ts';
import { World } from '../../support/world.ts';

/** The installed program as a server, on a store of its own. */
async function start(world: World, dir: string): Promise<McpProcess> {
  const program = [installedCommand(), 'mcp', '--store'];
  return await McpProcess.start(world, { generation: 1, program, dir });
}

test('initialize and tools/list are answered without opening the store', async () => {
  await using world = new World();
  const dir = join(world.base, 'later');
  await using server = await start(world, dir);
  const { tools } = await server.request('tools/list');
  assert.equal((tools as unknown[]).length, 8);
  assert.ok(!existsSync(dir));
  const ran = await server.call('run', { command: 'echo opened' });
  assert.match(ran.content[0]?.text ?? '', /\| opened$/);
  assert.equal(await server.close(), 0);
});

test('the model is told that the store cannot be opened, and a later call opens it when it can be', async () => {
  await using world = new World();
  const dir = join(world.base, 'in-the-way');
  writeFileSync(dir, 'a file');
  await using server = await start(world, dir);
  for (const tool of ['run', 'tasks']) {
    const { isError, content } = await server.call(tool, { command: 'true' });
    assert.equal(isError, true);
    assert.match(content[0]?.text ?? '', /^STORE_UNSAFE: /);
  }
  rmSync(dir);
  const ran = await server.call('run', { command: 'echo opened' });
  assert.match(ran.content[0]?.text ?? '', /\| opened$/);
  assert.equal(await server.close(), 0);
});
