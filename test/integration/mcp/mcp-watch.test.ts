import assert from 'node:assert/strict';
import { appendFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { McpProcess, type ToolResult } from '../../support/mcp-process.ts';
import { World, waitFor } from '../../support/world.ts';

interface Line {
  readonly taskId: string;
  readonly pattern: string;
  readonly line: string;
  readonly offset: number;
}

function linesOf({ structuredContent }: ToolResult): string[] {
  return ((structuredContent.lines ?? []) as Line[]).map(({ line }) => line);
}

/** Calls a tool until an answer has lines. */
async function untilLines(server: McpProcess): Promise<ToolResult> {
  let answer = await server.call('tasks');
  await waitFor(async () => {
    if (linesOf(answer).length > 0) return true;
    answer = await server.call('tasks');
    return false;
  }, 'lines');
  return answer;
}

/** A command that prints what a test writes into a file. */
async function printer(server: McpProcess, world: World): Promise<(text: string) => void> {
  const file = `${world.base}/in`;
  writeFileSync(file, '');
  await server.call('run', { command: `tail -n +1 -f ${file}`, name: 'log', wait_ms: 0 });
  return (text) => appendFileSync(file, text);
}

test('a watched line rides once, on the next answer of any tool', async () => {
  await using world = new World();
  await using server = await McpProcess.start(world, { session: 's' });
  const print = await printer(server, world);
  print('fine\nERROR one\n');
  const watching = await server.call('watch', { task: 'log', pattern: 'ERROR (\\w+)' });
  assert.equal(watching.structuredContent.watching, true);
  const told = linesOf(watching).length > 0 ? watching : await untilLines(server);
  assert.deepEqual(told.structuredContent.lines, [
    {
      taskId: told.structuredContent.lines && (told.structuredContent.lines as Line[])[0]?.taskId,
      pattern: 'ERROR (\\w+)',
      line: 'ERROR one',
      offset: 5,
      dropped: 0,
    },
  ]);
  assert.match(
    told.content.at(-1)?.text ?? '',
    /^Lines that you watch for:\n- bgb-\w+ "log" at byte 5, for "ERROR \(\\\\w\+\)":\n\| ERROR one$/,
  );
  for (let call = 0; call < 3; call += 1) assert.deepEqual(linesOf(await server.call('tasks')), []);
  // To watch for it again tells nothing twice.
  await server.call('watch', { task: 'log', pattern: 'ERROR (\\w+)' });
  print('ERROR two\nfine\n');
  assert.deepEqual(linesOf(await untilLines(server)), ['ERROR two']);
});

test('a watched line ends a wait for its task and a wait for the next end, but not one for another task', async () => {
  await using world = new World();
  await using server = await McpProcess.start(world, { session: 's' });
  const print = await printer(server, world);
  await server.call('run', { command: 'sleep 1000', name: 'other', wait_ms: 0 });
  await server.call('watch', { task: 'log', pattern: 'ready' });
  for (const args of [{ task: 'log' }, {}]) {
    const waiting = server.send('tools/call', { name: 'wait', arguments: args });
    print('ready\n');
    const result = (await waiting.answer).result as unknown as ToolResult;
    assert.deepEqual([result.structuredContent.cause, linesOf(result)], ['line', ['ready']]);
    // This shows that it was received.
    await server.call('tasks');
  }
  print('ready\n');
  const other = await server.call('wait', { task: 'other', timeout_ms: 500 });
  assert.equal(other.structuredContent.cause, 'timeout');
});

test('a line that was in an answer when the server was killed is told again by the next one, also after the end', async () => {
  await using world = new World();
  await (async () => {
    await using server = await McpProcess.start(world, { session: 's' });
    const command = `until [ -e ${world.base}/go ]; do sleep 0.02; done; echo "a line to tell"`;
    await server.call('run', { command, name: 'it', wait_ms: 0 });
    await server.call('watch', { task: 'it', pattern: 'to tell$' });
    writeFileSync(`${world.base}/go`, '');
    assert.deepEqual(linesOf(await untilLines(server)), ['a line to tell']);
    await server.crash();
  })();
  await using next = await McpProcess.start(world, { session: 's' });
  assert.deepEqual(linesOf(await untilLines(next)), ['a line to tell']);
  await next.call('tasks');
  const task = (await world.session('s')).find('it');
  await waitFor(
    async () => (await world.session('s')).task(task.taskId).watches().length === 0,
    'the end of the watch',
  );
});

test('each answer tells ten of many lines, and says that there are more', async () => {
  await using world = new World();
  await using server = await McpProcess.start(world, { session: 's' });
  const task = await (await world.session('s')).spawn(
    'for i in $(seq 1 25); do echo "hit $i"; sleep 0.11; done',
    { name: 'many' },
  );
  await server.call('watch', { task: 'many', pattern: 'hit' });
  await task.wait({ ack: false });
  const told: string[] = [];
  await waitFor(async () => {
    const lines = linesOf(await server.call('tasks'));
    assert.ok(lines.length <= 10);
    told.push(...lines);
    return told.includes('hit 25');
  }, 'all lines');
  assert.deepEqual(told, [...new Set(told)]);
});

test('a watch is ended by its pattern', async () => {
  await using world = new World();
  await using server = await McpProcess.start(world, { session: 's' });
  const print = await printer(server, world);
  await server.call('watch', { task: 'log', pattern: 'a' });
  await server.call('watch', { task: 'log', pattern: 'b' });
  const stopped = await server.call('watch', { task: 'log', pattern: 'a', stop: true });
  assert.match(stopped.content[0]?.text ?? '', /not watched for this pattern any more/);
  const twice = await server.call('watch', { task: 'log', pattern: 'a', stop: true });
  assert.match(twice.content[0]?.text ?? '', /was not watched/);
  print('a\nb\n');
  assert.deepEqual(linesOf(await untilLines(server)), ['b']);
});

test('for an ended task that was told of, watch says how to search its output', async () => {
  await using world = new World();
  await using server = await McpProcess.start(world, { session: 's' });
  await server.call('run', { command: 'echo over', name: 'it' });
  await server.call('tasks');
  await waitFor(async () => {
    const { isError, content } = await server.call('watch', { task: 'it', pattern: 'x' });
    return isError === true && /^TASK_ENDED: .*"output" and a pattern/.test(content[0]?.text ?? '');
  }, 'the refusal');
});

test('a watch with a pattern that cannot be matched in linear time is refused', async () => {
  await using world = new World();
  await using server = await McpProcess.start(world, { session: 's' });
  await printer(server, world);
  const { isError, content } = await server.call('watch', { task: 'log', pattern: '(a)\\1' });
  assert.ok(isError === true && content[0]?.text.startsWith('INVALID_ARGUMENT'));
});
