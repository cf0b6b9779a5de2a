import assert from 'node:assert/strict';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { sessionPaths } from '../../../src/tasklog/paths.ts';
import { McpProcess } from '../../support/mcp-process.ts';
import { World, waitFor } from '../../support/world.ts';

/** What the tool `tasks` says. */
async function tasksOf(server: McpProcess): Promise<string> {
  return (await server.call('tasks')).content[0]?.text ?? '';
}

async function runs(server: McpProcess, command: string): Promise<string> {
  return (await server.call('run', { command, wait_ms: 0 })).structuredContent.task.taskId;
}

const left = 'Running in this folder, started by others, in sessions that nobody has open:';

test('a new conversation learns what a dead one left running in its folder, and takes it over by its id', async () => {
  await using world = new World();
  const [cwd, other] = ['project', 'other'].map((name) => join(world.base, name)) as [string, string];
  for (const folder of [cwd, join(cwd, 'below'), other]) mkdirSync(folder, { recursive: true });
  await using dead = await McpProcess.start(world, { cwd, session: 'dead' });
  const taskId = await runs(dead, 'sleep 1000');
  const below = (await dead.call('run', { command: 'sleep 1000', cwd: join(cwd, 'below'), wait_ms: 0 }))
    .structuredContent.task.taskId;
  await dead.crash();
  await using living = await McpProcess.start(world, { cwd, session: 'living' });
  const ofLiving = await runs(living, 'sleep 1000');
  await using fresh = await McpProcess.start(world, { cwd, session: 'fresh' });
  let text = '';
  await waitFor(async () => {
    text = await tasksOf(fresh);
    return text.includes(taskId) && text.includes(below);
  }, 'the tasks to be listed');
  assert.match(text, new RegExp(`No task is running\\.\n${left}\n- ${taskId} `));
  // Once it is old enough, it is known that its session is open.
  const open = (): boolean => marks(world, 'living').length > 0;
  await waitFor(open, 'the session of the living one to be marked');
  assert.ok(!text.includes(ofLiving), text);
  await using elsewhere = await McpProcess.start(world, { cwd: other, session: 'elsewhere' });
  assert.equal(await tasksOf(elsewhere), 'No task is running.');
  const killed = await fresh.call('kill', { task: taskId, grace_ms: 0 });
  assert.equal(killed.structuredContent.task.status, 'killed');
  // What somebody works with is not taken over: it is not typed into.
  const ofOther = await fresh.call('send', { task: ofLiving, text: 'x' });
  assert.match(ofOther.content[0]?.text ?? '', /^TASK_NOT_FOUND/);
  // Its session is the client's now.
  await waitFor(async () => !(await tasksOf(living)).includes(below), 'the session to be known as open');
});

/** The marks of those who have a session open. */
function marks(world: World, sessionId: string): string[] {
  return readdirSync(sessionPaths(world.dir, sessionId).dir).filter((name) => name.startsWith('open-'));
}

test("the mark of an open session is removed by its server; a dead server's mark by the next one", async () => {
  await using world = new World();
  await using first = await McpProcess.start(world, { session: 's' });
  await runs(first, 'sleep 1000');
  await waitFor(() => marks(world, 's').length === 1, 'the mark');
  const [mark] = marks(world, 's');
  await first.crash();
  assert.deepEqual(marks(world, 's'), [mark]);
  await using second = await McpProcess.start(world, { session: 's' });
  await second.call('tasks');
  await waitFor(
    () => marks(world, 's').length === 1 && marks(world, 's')[0] !== mark,
    'the mark of the next',
  );
  assert.equal(await second.close(), 0);
  assert.deepEqual(marks(world, 's'), []);
});
