import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  answerThatTells,
  McpProcess,
  type ProcessOptions,
  ridersOf,
  type ToolResult,
} from '../../support/mcp-process.ts';
import { latelyIn, notesIn, ofAnotherAgent } from '../../support/mcp-told.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';
import { World, waitFor } from '../../support/world.ts';

// Session "s" is open here as well, so that what is pending can be seen from outside.

const nothing = { again: [], reminders: [] };
const another: ProcessOptions = { ...ofAnotherAgent, session: 's' };

const idOf = (result: ToolResult): string => result.structuredContent.task.taskId;

test('each of two agents in one session is told only of its own tasks, even when the other one is dead', async () => {
  await using world = new World();
  const session = await world.session('s');
  await using a = await McpProcess.start(world, another);
  await using b = await McpProcess.start(world, another);
  await b.call('tasks');
  const live = idOf(await a.call('run', { command: 'sleep 1000', name: 'live-of-a', wait_ms: 0 }));
  const ofA = idOf(await a.call('run', { command: 'sleep 1; exit 3', name: 'of-a', wait_ms: 0 }));
  await waitFor(async () => (await session.pending()).length === 1, 'the end');
  // It is seen, waited for by its name and read, and nobody but A is told.
  const listed = await b.call('tasks');
  assert.deepEqual([ridersOf(listed), notesIn(listed)], [[], nothing]);
  assert.match(latelyIn(listed).join('\n'), new RegExp(`${ofA}.*started by another client`));
  assert.match((await b.call('wait')).content[0]?.text ?? '', /nothing to wait for/);
  for (const name of ['wait', 'output']) {
    const answer = await b.call(name, { task: ofA });
    assert.match(answer.content[0]?.text ?? '', /failed \(exit code 3\)/);
    assert.deepEqual([ridersOf(answer), notesIn(answer)], [[], nothing]);
  }
  await b.call('tasks');
  assert.doesNotMatch(readFileSync(world.logOf(ofA), 'utf8'), /"fact":"(claim|delivered)"/);
  await a.crash();
  await waitFor(async () => ridersOf(await b.call('tasks')).length === 0, 'an answer without riders');
  // A third one, which had not called while A lived, follows it.
  await using third = await McpProcess.start(world, another);
  const told = await answerThatTells(third);
  assert.deepEqual([ridersOf(told), notesIn(told)], [[ofA], nothing]);
  assert.deepEqual(ridersOf(await b.call('kill', { task: live, grace_ms: 0 })), []);
});

test('an end that an agent was told, without proof that it read it, is told to its successor, marked', async () => {
  await using world = new World();
  const session = await world.session('s');
  await using a = await McpProcess.start(world, another);
  const ofA = idOf(await a.call('run', { command: 'exit 3' }));
  await waitFor(async () => (await session.pending()).length === 1, 'the end');
  await a.crash();
  await using next = await McpProcess.start(world, another);
  const told = await answerThatTells(next);
  assert.deepEqual([ridersOf(told), notesIn(told).again], [[ofA], [ofA]]);
});

test("a server that the same agent starts again tells the ends of its predecessor's tasks at once", async () => {
  await using world = new World();
  const session = await world.session('s');
  await using before = await McpProcess.start(world, { session: 's' });
  await using beside = await McpProcess.start(world, { session: 's' });
  await beside.call('tasks');
  const taskId = idOf(await before.call('run', { command: 'sleep 1; exit 3', wait_ms: 0 }));
  await waitFor(async () => (await session.pending()).length === 1, 'the end');
  await before.crash();
  assert.deepEqual(ridersOf(await answerThatTells(beside)), [taskId]);
});

test(
  'if two servers of an agent could tell an end, one does, and the other does not while the first lives',
  notOnWindows('no signal suspends a process there'),
  async () => {
    await using world = new World();
    const session = await world.session('s');
    const [one, two] = [
      await McpProcess.start(world, { session: 's' }),
      await McpProcess.start(world, { session: 's' }),
    ];
    await using _one = one;
    await using _two = two;
    await two.call('tasks');
    const taskId = idOf(await one.call('run', { command: 'sleep 1; exit 3', wait_ms: 0 }));
    await waitFor(async () => (await session.pending()).length === 1, 'the end');
    const answers = await Promise.all([one.call('tasks'), two.call('tasks')]);
    assert.deepEqual(answers.flatMap(ridersOf), [taskId]);
    const [teller, other] = ridersOf(answers[0]).length > 0 ? [one, two] : [two, one];
    process.kill(teller.pid, 'SIGSTOP');
    assert.deepEqual(ridersOf(await other.call('tasks')), []);
    process.kill(teller.pid, 'SIGCONT');
    await teller.crash();
    const told = await answerThatTells(other);
    assert.deepEqual([ridersOf(told), notesIn(told).again], [[taskId], [taskId]]);
  },
);

test('a conversation that its agent names is told of its ends by any client that has it', async () => {
  await using world = new World();
  const session = await world.session('s');
  const named = (id: string): ProcessOptions => ({ ...another, env: { CLAUDE_CODE_SESSION_ID: id } });
  await using a = await McpProcess.start(world, named('conversation-1'));
  await using resumed = await McpProcess.start(world, named('conversation-1'));
  await using other = await McpProcess.start(world, named('conversation-2'));
  for (const server of [resumed, other]) await server.call('tasks');
  const taskId = idOf(await a.call('run', { command: 'sleep 1; exit 3', wait_ms: 0 }));
  await waitFor(async () => (await session.pending()).length === 1, 'the end');
  assert.deepEqual(ridersOf(await other.call('tasks')), []);
  assert.deepEqual(ridersOf(await answerThatTells(resumed)), [taskId]);
});

test('a named subagent does not take an end of the main agent, and does not prove it read', async () => {
  await using world = new World();
  const session = await world.session('s');
  await using server = await McpProcess.start(world, { session: 's' });
  const callAs = async (caller: string, name: string, args: object = {}): Promise<ToolResult> => {
    const params = { name, arguments: args, _meta: { 'outlive/caller': caller } };
    return (await server.request('tools/call', params)) as unknown as ToolResult;
  };
  const ofMain = idOf(await server.call('run', { command: 'sleep 1; exit 3', wait_ms: 0 }));
  const ofSub = idOf(await callAs('sub', 'run', { command: 'sleep 1; exit 4', wait_ms: 0 }));
  const toldSub: string[] = [];
  await waitFor(
    async () => toldSub.push(...ridersOf(await callAs('sub', 'tasks'))) > 0,
    'the subagent to be told',
  );
  assert.deepEqual(toldSub, [ofSub]);
  assert.deepEqual(ridersOf(await answerThatTells(server)), [ofMain]);
  await callAs('sub', 'tasks');
  await waitFor(async () => (await session.pending()).length === 1, 'the acknowledgement of the subagent');
  assert.deepEqual(
    (await session.pending()).map(({ taskId }) => taskId),
    [ofMain],
  );
  await server.call('tasks');
  await waitFor(async () => (await session.pending()).length === 0, 'the acknowledgement of the main agent');
});

test('a task of another session is waited for, read and stopped by its full id; telling its end counts if its agent is dead', async () => {
  await using world = new World();
  const old = await world.session('old');
  await using before = await McpProcess.start(world, { ...another, session: 'old', tasks: true });
  const started = await before.request('tools/call', {
    name: 'run',
    arguments: { command: 'sleep 1; exit 3', wait_ms: 0 },
  });
  const taskId = started.taskId as string;
  await waitFor(async () => (await old.pending()).length === 1, 'the end');
  await using cleared = await McpProcess.start(world, { ...another, session: 'new', tasks: true });
  const look = async (): Promise<void> => {
    assert.equal((await cleared.request('tasks/get', { taskId })).status, 'completed');
    for (const name of ['wait', 'kill', 'output'])
      assert.match((await cleared.call(name, { task: taskId })).content[0]?.text ?? '', /exit code 3/);
    await cleared.call('tasks');
    await cleared.call('tasks');
  };
  await look();
  assert.equal((await old.pending()).length, 1, 'nothing is acknowledged while its agent lives');
  await before.crash();
  await look();
  await waitFor(async () => (await old.pending()).length === 0, 'the acknowledgement');
});

test('a task of the library has no starter: any client of its session is told', async () => {
  await using world = new World();
  const session = await world.session('s');
  await using a = await McpProcess.start(world, another);
  await a.call('tasks');
  const task = await session.spawn('exit 3');
  await task.wait({ ack: false });
  assert.deepEqual(ridersOf(await answerThatTells(a)), [task.id]);
});
