import assert from 'node:assert/strict';
import { appendFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { McpProcess } from '../../support/mcp-process.ts';
import { ofAnotherAgent } from '../../support/mcp-told.ts';
import { World, waitFor } from '../../support/world.ts';

/** The lines that the next answers tell, as far as there are some. */
async function linesNow(server: McpProcess): Promise<string[]> {
  const { structuredContent } = await server.call('tasks');
  return ((structuredContent.lines ?? []) as { line: string }[]).map(({ line }) => line);
}

/** Calls a tool until answers have told a line. @returns all that they told. */
async function untilTold(server: McpProcess, line: string): Promise<string[]> {
  const told: string[] = [];
  await waitFor(
    async () => {
      told.push(...(await linesNow(server)));
      return told.includes(line);
    },
    `the line ${line}`,
    100_000,
  );
  return told;
}

test('each of two agents in one session is told the lines that it watches for, whichever calls first', async () => {
  await using world = new World();
  await using starter = await McpProcess.start(world, { ...ofAnotherAgent, session: 's' });
  await using beside = await McpProcess.start(world, { ...ofAnotherAgent, session: 's' });
  await beside.call('tasks');
  const file = `${world.base}/in`;
  writeFileSync(file, '');
  await starter.call('run', { command: `tail -n +1 -f ${file}`, name: 'log', wait_ms: 0 });
  await starter.call('watch', { task: 'log', pattern: 'ERROR' });
  appendFileSync(file, 'ERROR one\n');
  const session = await world.session('s');
  const found = async () => {
    for await (const { line } of session.matches({ wait: false })) return line;
    return null;
  };
  await waitFor(async () => (await found()) === 'ERROR one', 'the line to be pending');
  // The other one calls, and calls again, by which it would acknowledge what it was told.
  for (let call = 0; call < 5; call += 1) assert.deepEqual(await linesNow(beside), []);
  const waited = await beside.call('wait', { task: 'log', timeout_ms: 300 });
  assert.equal(waited.structuredContent.cause, 'timeout');
  assert.deepEqual(await untilTold(starter, 'ERROR one'), ['ERROR one']);
  // It watches as well: each reads all of them.
  await beside.call('watch', { task: 'log', pattern: 'ERROR' });
  appendFileSync(file, 'ERROR two\n');
  assert.deepEqual(await untilTold(beside, 'ERROR two'), ['ERROR one', 'ERROR two']);
  await beside.call('tasks');
  assert.deepEqual(await untilTold(starter, 'ERROR two'), ['ERROR two']);
  // To end its own leaves the other's.
  const ended = await beside.call('watch', { task: 'log', pattern: 'ERROR', stop: true });
  assert.match(ended.content[0]?.text ?? '', /not watched for this pattern any more/);
  appendFileSync(file, 'ERROR three\n');
  await starter.crash();
  await using next = await McpProcess.start(world, { ...ofAnotherAgent, session: 's' });
  assert.deepEqual((await untilTold(next, 'ERROR three')).slice(-1), ['ERROR three']);
  assert.deepEqual(await linesNow(beside), []);
});
