import assert from 'node:assert/strict';
import { truncateSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { McpProcess } from '../../support/mcp-process.ts';
import { say, shortenings, Told } from '../../support/shortened.ts';
import { World, waitFor } from '../../support/world.ts';

const word =
  /^\[outlive: something opened the file of the output anew, [^\n]*; what is in it now begins at byte 8\]$/m;

for (const [how, { make, left }] of Object.entries(shortenings)) {
  test(`an agent that pages through an output that is ${how} is told so in an extra line, and loses nothing`, async () => {
    await using world = new World();
    await using server = await McpProcess.start(world, { session: 's' });
    const input = `${world.base}/in`;
    writeFileSync(input, '');
    const { task, output: begun } = (await server.call('run', { command: Told.command(input), wait_ms: 0 }))
      .structuredContent;
    await say(input, begun.path, 'one');
    await say(input, begun.path, 'two');
    const first = await server.call('output', { task: task.taskId });
    assert.equal(first.structuredContent.output.nextOffset, 8);
    make(begun.path);
    await say(input, begun.path, 'three');
    const next = await server.call('output', { task: task.taskId, offset: 8 });
    const { text, offset, nextOffset, beginsAt, bytes } = next.structuredContent.output;
    const size = 8 + left.length + 6;
    assert.deepEqual([text, offset, nextOffset, beginsAt, bytes], [`${left}three\n`, 8, size, 8, size]);
    const said = next.content[0]?.text ?? '';
    assert.match(said, word);
    const waited = await server.call('wait', { task: task.taskId, pattern: 'three' });
    assert.equal(waited.structuredContent.match?.nextOffset, size - 1);
    const { contents } = await server.request('resources/read', {
      uri: `outlive://tasks/${task.taskId}/output`,
    });
    const [output, ours] = contents as { uri: string; text: string }[];
    assert.equal(output?.text, `${left}three\n`);
    assert.match(ours?.text ?? '', word);
    writeFileSync(`${input}.end`, '');
    await server.call('wait', { task: task.taskId });
  });
}

test('an offset from another server stays valid, by what the shim has noticed; one beyond the end is reported', async () => {
  await using world = new World();
  const input = `${world.base}/in`;
  writeFileSync(input, '');
  let path: string;
  {
    await using server = await McpProcess.start(world, { session: 's' });
    path = (await server.call('run', { command: Told.command(input), name: 'told', wait_ms: 0 }))
      .structuredContent.output.path;
    await say(input, path, 'a line');
  }
  truncateSync(path);
  await say(input, path, 'next');
  const store = await world.store();
  await waitFor(() => store.find('told', 's').output.erasedBytes === 7, 'the shim to notice');
  await using server = await McpProcess.start(world, { session: 's' });
  const answer = await server.call('output', { task: 'told', offset: 7 });
  const { text, offset, nextOffset, beginsAt } = answer.structuredContent.output;
  assert.deepEqual([text, offset, nextOffset, beginsAt], ['next\n', 7, 12, 7]);
  const beyond = await server.call('output', { task: 'told', offset: 1_000 });
  assert.match(
    beyond.content[0]?.text ?? '',
    /^\[outlive: it has written 12 bytes, and you asked for byte 1000\. /m,
  );
  writeFileSync(`${input}.end`, '');
  await server.call('wait', { task: 'told' });
});
