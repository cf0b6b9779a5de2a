import assert from 'node:assert/strict';
import { test } from 'node:test';
import { McpProcess } from '../../support/mcp-process.ts';
import { World } from '../../support/world.ts';

const command = 'echo one; sleep 0.3; echo two > /dev/stderr; echo three';

test('an agent is warned of a command that erases its output, and told how much is gone', async () => {
  await using world = new World();
  await using server = await McpProcess.start(world);
  const ran = await server.call('run', { command });
  const text = ran.content[0]?.text ?? '';
  assert.match(text, /\[The command names \/dev\/stderr: .* Use >&2 instead, or output: "pipe"\.\]$/);
  assert.match(text, /but 4 bytes of its output are erased: .* \(output: "pipe" keeps all\)/);
  assert.match(text, /^\[outlive: .*; what is in it now begins at byte 4\]$/m);
  const { output } = ran.structuredContent;
  assert.deepEqual([output.text, output.beginsAt, output.bytes], ['two\nthree\n', 4, 14]);
});

test('a riding completion tells of erased output, too', async () => {
  await using world = new World();
  await using server = await McpProcess.start(world);
  await server.call('run', { command, wait_ms: 0, name: 'erases' });
  let told: Awaited<ReturnType<typeof server.call>>;
  do told = await server.call('tasks', {});
  while (told.structuredContent.completions === undefined);
  assert.match(JSON.stringify(told.structuredContent.completions), /"erasedBytes":4/);
  assert.match(told.content.map(({ text }) => text).join('\n'), /4 bytes of its output are erased/);
});

test('through a pipe an agent gets all output, without a warning', async () => {
  await using world = new World();
  await using server = await McpProcess.start(world);
  const ran = await server.call('run', { command, output: 'pipe' });
  const { output } = ran.structuredContent;
  assert.deepEqual([output.text, output.beginsAt], ['one\ntwo\nthree\n', 0]);
  assert.doesNotMatch(ran.content[0]?.text ?? '', /names|erased/);
  const refused = await server.call('run', { command, output: 'tty' });
  assert.equal(refused.isError, true);
});
