import assert from 'node:assert/strict';
import { basename } from 'node:path';
import { test } from 'node:test';
import { OutliveError, openStore } from '../../../src/index.ts';
import { sessionTools, type Told } from '../../../src/tools/index.ts';
import { taskIdIn, toolbox } from '../../support/session-tools.ts';
import { World, waitFor } from '../../support/world.ts';

/** Waits until a command has ended, and gives what is pending. */
async function untilPending(tools: Awaited<ReturnType<typeof toolbox>>['tools']): Promise<Told> {
  assert.equal(await tools.arrived(), true);
  const told = await tools.pending();
  assert.ok(told !== null);
  return told;
}

test('each tool has a schema that names its arguments, and refuses others by name', async () => {
  await using world = new World();
  const { tools, call } = await toolbox(world);
  assert.deepEqual(
    tools.list.map(({ name }) => name),
    ['run', 'wait', 'watch', 'output', 'send', 'screen', 'tasks', 'kill'],
  );
  for (const { name, inputSchema, description } of tools.list) {
    assert.equal(inputSchema.type, 'object', name);
    assert.equal(inputSchema.additionalProperties, false, name);
    assert.notEqual(description, '', name);
  }
  const refused = await call('run', { command: 'true', frobnicate: 1 });
  assert.equal(refused.isError, true);
  assert.match(refused.text, /^INVALID_ARGUMENT: .*unknown: "frobnicate"/);
  assert.match((await call('tasks', { all: true })).text, /^There are no tasks\./);
  const [run] = tools.list;
  assert.ok(run);
  // @ts-expect-error there is no such option
  await assert.rejects(run.call({ command: 'true' }, { signal: null }), { code: 'INVALID_ARGUMENT' });
});

test('an end that an answer tells stays pending until it is acknowledged', async () => {
  await using world = new World();
  const { session, tools, call } = await toolbox(world);
  const told = await call('run', { command: 'echo hello; exit 3' });
  assert.match(told.text, /failed \(exit code 3\)[\s\S]*\n\| hello$/);
  assert.deepEqual([told.isError, told.isOver, told.ends], [false, false, [taskIdIn(told)]]);
  assert.equal(await tools.pending(), null);
  assert.equal((await session.pending()).length, 1);
  await told.ack();
  assert.equal(told.isOver, true);
  assert.deepEqual(await session.pending(), []);
  told.giveBack();
  assert.equal(await tools.pending(), null);
});

test('an end that was given back is told again, and says so', async () => {
  await using world = new World();
  const { session, tools, call } = await toolbox(world);
  const first = await call('run', { command: 'echo once' });
  first.giveBack();
  const second = await untilPending(tools);
  assert.match(second.text, /^This message is from the tools of outlive, not from the user\./);
  assert.match(second.text, /Ended since you were last told:[\s\S]*\| once/);
  assert.match(second.text, /Told again, because an earlier answer may have been lost/);
  await second.ack();
  assert.deepEqual(await session.pending(), []);
});

test('an end in the background wakes a waiting agent; without one it rides on the next answer', async () => {
  await using world = new World();
  const { session, tools, call } = await toolbox(world);
  const deliveries = tools.deliveries();
  const next = deliveries.next();
  const running = await call('run', { command: 'sleep 0.3; echo awake', wait_ms: 0 });
  assert.deepEqual(running.ends, []);
  const { value: told } = await next;
  assert.ok(told);
  assert.deepEqual(told.ends, [taskIdIn(running)]);
  assert.match(told.text, /\| awake/);
  const other = await session.spawn('echo by the program');
  await waitFor(async () => (await session.pending()).length === 2, 'both ends');
  const answer = await call('tasks');
  assert.deepEqual(answer.ends, [other.id]);
  await Promise.all([told.ack(), answer.ack()]);
  assert.deepEqual(await session.pending(), []);
  const rest = deliveries.next();
  tools.close();
  assert.deepEqual(await rest, { done: true, value: undefined });
});

test('during a tool call only its answer tells the news', async () => {
  await using world = new World();
  const { tools, call } = await toolbox(world);
  const stop = new AbortController();
  const arrived = tools.arrived({ abortSignal: stop.signal });
  const told = await call('run', { command: 'sleep 0.2; echo slow' });
  assert.equal(told.ends.length, 1);
  assert.equal(await tools.pending(), null);
  stop.abort();
  assert.equal(await arrived, false);
  await told.ack();
});

test('an unacknowledged end is told by the next process', async () => {
  await using world = new World();
  const first = await toolbox(world);
  const told = await first.call('run', { command: 'echo kept' });
  first.tools.close();
  assert.equal(await first.tools.arrived(), false);
  await assert.rejects(first.call('tasks'), { code: 'CLOSED' });
  await first.store.close();
  await assert.rejects(sessionTools(first.store, first.session), { code: 'CLOSED' });
  const second = await toolbox(world);
  const again = await untilPending(second.tools);
  assert.deepEqual(again.ends, told.ends);
  assert.match(again.text, /\| kept/);
  await again.ack();
  assert.deepEqual(await second.session.pending(), []);
});

test('watched lines are told like ends', async () => {
  await using world = new World();
  const { tools, call, session } = await toolbox(world);
  const running = await call('run', { command: 'sleep 0.3; echo ERROR one; sleep 60', wait_ms: 0 });
  await call('watch', { task: taskIdIn(running), pattern: 'ERROR' });
  const first = await untilPending(tools);
  assert.match(first.text, /Lines that you watch for:[\s\S]*\| ERROR one/);
  first.giveBack();
  const second = await untilPending(tools);
  assert.match(second.text, /\| ERROR one/);
  await second.ack();
  const killed = await call('kill', { task: taskIdIn(running) });
  await killed.ack();
  assert.deepEqual(await session.pending(), []);
});

test('lines of a watch that another client opened for itself are told only to that client', async () => {
  await using world = new World();
  const { tools, call, session } = await toolbox(world);
  const running = await call('run', { command: 'echo ERROR one; echo other two; sleep 60', wait_ms: 0 });
  const task = session.task(taskIdIn(running));
  await task.addWatch({ regexp: 'ERROR' }, { id: 're-0123456789abcdef-of-0123456789abcdef' });
  await task.waitFor({ pattern: 'other two', timeoutMs: 60_000 });
  await call('watch', { task: task.id, pattern: 'other' });
  const told = await untilPending(tools);
  assert.match(told.text, /\| other two/);
  assert.doesNotMatch(told.text, /ERROR/);
  await told.ack();
  const left: string[] = [];
  for await (const { line } of session.matches({ wait: false })) left.push(line);
  assert.deepEqual(left, ['ERROR one']);
});

test('one of two readers of a session is told of a line', async () => {
  await using world = new World();
  const { tools, call, session } = await toolbox(world);
  const running = await call('run', { command: 'echo ERROR one; sleep 60', wait_ms: 0 });
  await call('watch', { task: taskIdIn(running), pattern: 'ERROR' });
  const told = await untilPending(tools);
  await using other = await openStore({ dir: world.dir });
  const second = await sessionTools(other, await other.session(session.id));
  await waitFor(
    async () => (await second.list[0]?.call({ command: 'true' }))?.isError === false,
    'its tools',
  );
  assert.equal(await second.pending(), null);
  told.giveBack();
  const again = await untilPending(second);
  assert.match(again.text, /\| ERROR one/);
  assert.equal(await tools.pending(), null);
  second.close();
});

test('commands run in the given folder', async () => {
  await using world = new World();
  const { store, session } = await toolbox(world);
  const tools = await sessionTools(store, session, { cwd: world.base });
  const [run] = tools.list;
  const here = await run?.call({ command: 'pwd -P' });
  assert.match(here?.text ?? '', new RegExp(`^\\| .*/${basename(world.base)}$`, 'm'));
  const below = await run?.call({ command: 'pwd -P', workdir: 'store' });
  assert.match(below?.text ?? '', new RegExp(`^\\| .*/${basename(world.base)}/store$`, 'm'));
  await Promise.all([here?.ack(), below?.ack()]);
});

test('a session of another store is refused', async () => {
  await using world = new World();
  await using other = new World();
  const session = await world.session();
  await assert.rejects(sessionTools(await other.store(), session), (error) => {
    assert.ok(error instanceof OutliveError);
    assert.equal(error.code, 'INVALID_ARGUMENT');
    return true;
  });
  // @ts-expect-error there is no such option
  await assert.rejects(sessionTools(await world.store(), session, { folder: '/' }), {
    code: 'INVALID_ARGUMENT',
  });
});
