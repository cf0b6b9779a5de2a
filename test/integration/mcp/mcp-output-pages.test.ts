import assert from 'node:assert/strict';
import { test } from 'node:test';
import { McpProcess } from '../../support/mcp-process.ts';
import { World } from '../../support/world.ts';

/** The lines of an answer that the command has printed. */
function printed(text: string | undefined): string[] {
  return (text ?? '')
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) => line.slice(2));
}

test('pages of output have whole characters, whatever size they have and wherever they begin', async () => {
  await using world = new World();
  await using server = await McpProcess.start(world, { session: 's' });
  const text = 'a€b𝄞c'.repeat(20);
  await server.call('run', { command: `printf '%s' '${text}'`, name: 'it' });
  for (const maxBytes of [4, 5, 7, 64]) {
    let read = '';
    for (let offset = 0; ; ) {
      const { output } = (await server.call('output', { task: 'it', offset, max_bytes: maxBytes }))
        .structuredContent;
      read += output.text;
      offset = output.nextOffset;
      if (offset >= output.bytes) break;
    }
    assert.equal(read, text, String(maxBytes));
  }
  // Within a character the page begins with that.
  for (const [offset, begins] of [
    [1, 1],
    [2, 1],
    [3, 1],
    [4, 4],
    [5, 5],
    [6, 5],
    [8, 5],
    [9, 9],
  ] as const) {
    const { output } = (await server.call('output', { task: 'it', offset })).structuredContent;
    assert.deepEqual([output.offset, output.text.includes('\uFFFD')], [begins, false], String(offset));
  }
});

test('after bytes that are not text, the offsets of lines are those of the original', async () => {
  await using world = new World();
  await using server = await McpProcess.start(world, { session: 's' });
  // Seven bytes that are no text, in three shapes.
  const command = "printf '\\377\\376\\200\\n\\342\\202 x\\nneedle one\\n\\360\\237needle two\\n'";
  await server.call('run', { command, name: 'it' });
  const { structuredContent, content } = await server.call('output', { task: 'it', pattern: 'needle' });
  assert.deepEqual(structuredContent.found, {
    matches: [
      { offset: 9, line: 'needle one' },
      { offset: 20, line: '\uFFFDneedle two' },
    ],
    next: null,
  });
  assert.match(content[0]?.text ?? '', /\nat byte 9:\n\| needle one\nat byte 20:\n\| .needle two$/u);
  const waited = await server.call('wait', { task: 'it', pattern: 'needle', timeout_ms: 0 });
  assert.equal(waited.structuredContent.match?.nextOffset, 15);
  const page = await server.call('output', { task: 'it', offset: 9, max_bytes: 6 });
  assert.deepEqual(printed(page.content[0]?.text), ['needle']);
});

test('output shows the beginning, and the lines with a pattern, page by page', async () => {
  await using world = new World();
  await using server = await McpProcess.start(world, { session: 's' });
  await server.call('run', { command: 'seq -f "line %03g" 1 300', name: 'it' });
  const head = await server.call('output', { task: 'it', head: true, max_bytes: 18 });
  assert.deepEqual(printed(head.content[0]?.text), ['line 001', 'line 002']);
  assert.match(head.content[0]?.text ?? '', /\[read on from offset 18\]$/);
  const some = await server.call('output', { task: 'it', pattern: '5$', max_bytes: 27 });
  assert.deepEqual(printed(some.content[0]?.text), ['line 005', 'line 015', 'line 025']);
  const [, next] = /search on from offset (\d+)\]$/.exec(some.content[0]?.text ?? '') ?? [];
  assert.equal(Number(next), 34 * 9);
  const more = await server.call('output', { task: 'it', pattern: '5$', offset: next });
  assert.equal(printed(more.content[0]?.text)[0], 'line 035');
  assert.equal(printed(more.content[0]?.text).length, 27);
  const none = await server.call('output', { task: 'it', pattern: 'nothing' });
  assert.match(none.content[0]?.text ?? '', /\n\[no line matches\]$/);
  const refused = await server.call('output', { task: 'it', pattern: '(?=x)' });
  assert.ok(refused.isError === true && refused.content[0]?.text.startsWith('INVALID_ARGUMENT'));
});

test('a line that matches a pattern is cleaned', async () => {
  await using world = new World();
  await using server = await McpProcess.start(world, { session: 's' });
  await server.call('run', {
    command: "printf 'a \\033[31mred\\033[0m\\342\\200\\256\\a word\\n'",
    name: 'it',
  });
  const { content } = await server.call('output', { task: 'it', pattern: 'red' });
  assert.deepEqual(printed(content[0]?.text), ['a red word']);
});
