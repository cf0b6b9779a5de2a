import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { McpProcess } from '../../support/mcp-process.ts';
import { fixturePath, World } from '../../support/world.ts';

/** Megabytes of memory that a process has of its own. */
function memoryOf(pid: number): number {
  const kilobytes = /^RssAnon:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) / 1024;
}

test("the server's memory does not grow with the output of its tasks", async () => {
  await using world = new World();
  // A heap that nobody needs yet is collected late on a busy machine, unless it may not grow.
  const program = ['--max-old-space-size=64', '--max-semi-space-size=1', fixturePath('mcp-server.mjs')];
  await using server = await McpProcess.start(world, { program });
  const flood = async (megabytes: number) => {
    const command = `yes "a line of output that says nothing" | head -c ${megabytes}000000`;
    const { taskId } = (await server.call('run', { command, wait_ms: 0 })).structuredContent.task;
    const read = async () => await server.call('output', { task: taskId, max_bytes: 65_536 });
    for (let count = 0; count < 40; count += 1) await read();
    await server.call('wait', { task: taskId, pattern: 'never in it' });
  };
  await flood(1);
  const before = memoryOf(server.pid);
  await flood(100);
  const grown = memoryOf(server.pid) - before;
  assert.ok(grown < 80, `grew by ${grown} MB`);
});
