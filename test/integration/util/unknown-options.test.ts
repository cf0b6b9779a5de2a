import assert from 'node:assert/strict';
import { test } from 'node:test';
import { client } from '@agentclientprotocol/sdk';
import { serveTerminals, terminalUpdates } from '../../../src/acp/index.ts';
import {
  diagnose,
  isEnded,
  OutliveError,
  openStore,
  type Session,
  type Store,
  type Task,
} from '../../../src/index.ts';
import { runStdioServer, startHttpServer } from '../../../src/mcp/index.ts';
import { sessionTools } from '../../../src/tools/index.ts';
import { World } from '../../support/world.ts';

/** What a caller in JavaScript may hand over. */
// biome-ignore lint/suspicious/noExplicitAny: the types refuse what is tried here
type Anything = any;

interface Opened {
  readonly store: Store;
  readonly session: Session;
  readonly task: Task;
}

/** Every public function and method that takes options, called with some; and a slip in the name of one that it has. */
const calls: Record<
  string,
  readonly [slip: string, meant: string, call: (o: Anything, opened: Opened) => unknown]
> = {
  'openStore()': ['directory', 'dir', (o) => openStore(o)],
  'diagnose()': ['dirr', 'dir', (o) => diagnose(o)],
  'store.session()': ['retention', 'retentionMs', (o, { store }) => store.session('new', o)],
  'store.tasks()': ['session_id', 'sessionId', (o, { store }) => store.tasks(o)],
  'store.eachTask()': ['session_id', 'sessionId', (o, { store }) => store.eachTask(o).next()],
  'store.inspect()': ['session', 'sessionId', (o, { store, task }) => store.inspect(task.id, o)],
  'store.usage()': ['sample', 'sampleMs', (o, { store }) => store.usage([], o)],
  'store.followPending()': ['signal', 'abortSignal', (o, { store }) => store.followPending('test', o).next()],
  'store.pendingMatches()': [
    'context',
    'contextLines',
    (o, { store }) => store.pendingMatches('test', o).next(),
  ],
  'store.watch()': ['session', 'sessionId', (o, { store }) => store.watch(o)[Symbol.asyncIterator]().next()],
  'store.prune()': ['dryrun', 'dryRun', (o, { store }) => store.prune(o)],
  'session.spawn()': ['timeout', 'timeoutMs', (o, { session }) => session.spawn('true', o)],
  'session.run()': ['wait', 'waitMs', (o, { session }) => session.run('true', o)],
  'session.waitAny()': ['patern', 'pattern', (o, { session, task }) => session.waitAny([task], o)],
  'session.waitAll()': ['timeout', 'timeoutMs', (o, { session, task }) => session.waitAll([task], o)],
  'session.completions()': ['signal', 'abortSignal', (o, { session }) => session.completions(o).next()],
  'session.matches()': ['context', 'contextLines', (o, { session }) => session.matches(o).next()],
  'session.shutdown()': ['grace', 'graceMs', (o, { session }) => session.shutdown(o)],
  'session.end()': ['grace_ms', 'graceMs', (o, { session }) => session.end(o)],
  'session.prune()': ['olderThan', 'olderThanMs', (o, { session }) => session.prune(o)],
  'sessionTools()': ['cwdd', 'cwd', (o, { store, session }) => sessionTools(store, session, o)],
  'tools.arrived()': [
    'signal',
    'abortSignal',
    async (o, { store, session }) => (await sessionTools(store, session)).arrived(o),
  ],
  'task.wait()': ['timeuotMs', 'timeoutMs', (o, { task }) => task.wait(o)],
  'task.waitFor()': ['patern', 'pattern', (o, { task }) => task.waitFor(o)],
  'task.watch()': ['maxPerSec', 'maxPerSecond', (o, { task }) => task.watch('x', o).next()],
  'task.addWatch()': ['form', 'from', (o, { task }) => task.addWatch('x', o)],
  'task.restart()': ['graceMS', 'graceMs', (o, { task }) => task.restart(o)],
  'task.kill()': ['signal', 'killSignal', (o, { task }) => task.kill(o)],
  'task.send()': ['presses', 'press', (o, { task }) => task.send('x', o)],
  'task.attach()': [
    'readonly',
    'readOnly',
    (o, { task }) => task.attach({ input: null, output: process.stdout }, o),
  ],
  'task.resize()': ['colums', 'cols', (o, { task }) => task.resize(o)],
  'task.screen()': ['cell', 'cells', (o, { task }) => task.screen(o)],
  'task.read()': ['ofset', 'offset', (o, { task }) => task.read(o)],
  'task.tail()': ['bytes', 'maxBytes', (o, { task }) => task.tail(o)],
  'task.follow()': ['steam', 'stream', (o, { task }) => task.follow(o).next()],
  'startHttpServer()': ['tokenfile', 'tokenFile', (o, { store }) => startHttpServer({ store, ...o })],
  'runStdioServer()': ['stdin', 'session', (o, { store }) => runStdioServer({ store, ...o })],
  'serveTerminals()': ['max', 'maxOutputBytes', (o, { store }) => serveTerminals(client(), { store, ...o })],
  'the option "spawn" of serveTerminals()': [
    'grace',
    'graceMs',
    (o, { store }) => serveTerminals(client(), { store, spawn: o }),
  ],
  'terminals.waitForExit()': [
    'abort',
    'abortSignal',
    (o, { store, task }) =>
      serveTerminals(client(), { store }).waitForExit({ sessionId: 's', terminalId: task.id }, o),
  ],
  'terminalUpdates()': ['snapshot', 'snapshotBytes', (o, { task }) => terminalUpdates(task, o).next()],
};

/** Those of the three classes that take none. */
const without = new Set(
  [
    ['store', 'close', 'dir', 'find', 'meter', 'pending', 'sessions', 'task'],
    ['session', 'close', 'find', 'id', 'open', 'pending', 'takePending', 'task', 'tasks'],
    ['task', 'ack', 'removeWatch', 'snapshot', 'watches'],
  ].flatMap(([owner, ...names]) => names.map((name) => `${owner}.${name}()`)),
);

async function refusal(call: () => unknown): Promise<OutliveError> {
  try {
    await call();
  } catch (error) {
    if (error instanceof OutliveError) return error;
    throw error;
  }
  return assert.fail('it was accepted');
}

async function opened(world: World): Promise<Opened> {
  const store = await world.store();
  const session = await store.session('test');
  return { store, session, task: await session.spawn('sleep 1000', { bindTo: 'session' }) };
}

test('every method is tested here, or takes no options', async () => {
  await using world = new World();
  const objects: Record<string, object> = { ...(await opened(world)) };
  for (const [owner, object] of Object.entries(objects)) {
    const names = Object.getOwnPropertyNames(Object.getPrototypeOf(object)).filter(
      (name) => name !== 'constructor',
    );
    const unknown = names
      .map((name) => `${owner}.${name}()`)
      .filter((name) => !(name in calls) && !without.has(name));
    assert.deepEqual(unknown, []);
  }
});

for (const [what, [slip, meant, call]] of Object.entries(calls)) {
  test(`${what} refuses an unknown option by name, and does nothing`, async () => {
    await using world = new World();
    const all = await opened(world);
    const before = all.store.sessions();
    for (const options of [{ [slip]: undefined }, { [slip]: 5, other: 1 }]) {
      const { code, message, details } = await refusal(() => call(options, all));
      assert.equal(code, 'INVALID_ARGUMENT');
      assert.ok(message.startsWith(`expected options that ${what} has; found "${slip}"`), message);
      assert.ok(message.includes(`There are: `) && message.includes(meant), message);
      assert.deepEqual(details.options, Object.keys(options));
    }
    assert.deepEqual([all.store.sessions(), world.taskIds()], [before, [all.task.id]]);
    assert.ok(!isEnded(all.task.snapshot().status));
  });
}

const nested: Record<string, (opened: Opened) => unknown> = {
  process: ({ session }) => session.spawn('true', { bindTo: { pid: 1, process: 1 } as Anything }),
  flag: ({ task }) => task.waitFor({ pattern: { regexp: 'x', flag: 'i' } as Anything }),
  source: ({ task }) => task.addWatch({ regexp: 'x', source: 'x' } as Anything),
};
for (const [name, call] of Object.entries(nested)) {
  test(`an object within the options refuses "${name}", too`, async () => {
    await using world = new World();
    const all = await opened(world);
    const { code, message } = await refusal(() => call(all));
    assert.equal(code, 'INVALID_ARGUMENT');
    assert.match(message, new RegExp(`"${name}"`));
  });
}

test('options that are not an object are refused, and not repeated: they may be a secret', async () => {
  await using world = new World();
  const all = await opened(world);
  for (const [what, [, , call]] of Object.entries(calls)) {
    // Into these the test puts a store.
    if (/Server\(\)$|^serveTerminals/.test(what)) continue;
    for (const [options, found] of [
      ['s3cret', 'string'],
      [null, 'null'],
      [['s3cret'], 'an array'],
      [7, 'number'],
    ] as const) {
      if (options === null && what.includes('"spawn"')) continue;
      const { code, message } = await refusal(() => call(options, all));
      assert.equal(code, 'INVALID_ARGUMENT', what);
      assert.equal(message, `expected the options of ${what} to be an object; found ${found}.`);
    }
  }
  assert.equal((await refusal(() => all.task.waitFor(undefined as Anything))).code, 'INVALID_ARGUMENT');
});

const wrong: Record<string, (opened: Opened) => unknown> = {
  'ack of wait': ({ task }) => task.wait({ ack: 'no' as Anything }),
  'ack of waitFor': ({ task }) => task.waitFor({ pattern: 'x', ack: 0 as Anything }),
  'exclusive of completions': ({ session }) => session.completions({ exclusive: 'yes' as Anything }).next(),
  'dryRun of prune': ({ session }) => session.prune({ dryRun: 'false' as Anything }),
  'live of tasks': ({ store }) => store.tasks({ live: 1 as Anything }),
  'live of eachTask': ({ store }) => store.eachTask({ live: 'no' as Anything }).next(),
  'wait of matches': ({ session }) => session.matches({ wait: null as Anything }).next(),
  'stream of read': ({ task }) => task.read({ stream: 'stdrr' as Anything }),
  'stream of tail': ({ task }) => task.tail({ stream: 2 as Anything }),
  'stream of follow': ({ task }) => task.follow({ stream: 'both' as Anything }).next(),
  'abortSignal of wait': ({ task }) => task.wait({ abortSignal: new AbortController() as Anything }),
  'abortSignal of run': ({ session }) => session.run('true', { abortSignal: {} as Anything }),
  'abortSignal of follow': ({ task }) => task.follow({ abortSignal: null as Anything }).next(),
  'abortSignal of watch': ({ task }) => task.watch('x', { abortSignal: 5 as Anything }).next(),
  'abortSignal of completions': ({ session }) => session.completions({ abortSignal: 'x' as Anything }).next(),
};
for (const [what, call] of Object.entries(wrong)) {
  test(`${what} is refused if it has another type`, async () => {
    await using world = new World();
    const all = await opened(world);
    const { code, message } = await refusal(() => call(all));
    assert.equal(code, 'INVALID_ARGUMENT');
    assert.ok(message.includes(what.split(' ')[0] ?? ''), message);
    assert.equal((await all.session.tasks()).length, 1);
  });
}
