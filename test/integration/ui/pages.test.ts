import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type {
  ActData,
  LinesData,
  LinesWhere,
  SearchData,
  TaskData,
  TaskRow,
  TasksData,
} from '../../../src/ui/protocol.ts';
import { creditBytes } from '../../../src/ui/protocol.ts';
import { startUiServer } from '../../../src/ui/server.ts';
import { Agent } from '../../support/agents.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';
import { PageClient, startUi } from '../../support/ui.ts';
import { everything } from '../../support/untidy.ts';
import { quote, World, waitFor } from '../../support/world.ts';

function rowsIn(data: readonly unknown[]): Map<string, TaskRow> {
  const rows = new Map<string, TaskRow>();
  for (const event of data as TasksData[]) {
    if (event.kind === 'tasks') for (const row of event.tasks) rows.set(row.taskId, row);
    else if (event.kind === 'gone') rows.delete(event.taskId);
  }
  return rows;
}

test('a page is told of all tasks, and then of each start and end', async () => {
  await using world = new World();
  const session = await world.session('a');
  const old = await session.spawn('exit 3', { name: 'old' });
  await old.wait();
  await using server = await startUi(world);
  await using page = await PageClient.connect(server);
  const heard = page.open({ kind: 'tasks', usage: false });
  await waitFor(() => heard.data.some((data) => (data as TasksData).kind === 'ready'), 'the tasks');
  const row = rowsIn(heard.data).get(old.id);
  assert.deepEqual([row?.name, row?.status, row?.exitCode, row?.sessionId], ['old', 'failed', 3, 'a']);
  const gate = `${world.base}/may-end`;
  const task = await session.spawn(`until [ -e ${quote(gate)} ]; do sleep 0.05; done`);
  await waitFor(() => rowsIn(heard.data).get(task.id)?.status === 'running', 'its start');
  writeFileSync(gate, '');
  await waitFor(() => rowsIn(heard.data).get(task.id)?.status === 'completed', 'its end');
  page.send({ type: 'close', id: heard.id });
  await waitFor(() => heard.hasEnded, 'the end of the channel');
  assert.equal(heard.failure, null);
});

test('pages with the same request share one watch of the store, which ends with the last of them', async () => {
  await using world = new World();
  const session = await world.session();
  const store = await world.store({ readOnly: true });
  const watch = store.watch.bind(store);
  const begun: boolean[] = [];
  let open = 0;
  store.watch = async function* (options = {}) {
    begun.push(options.usage === true);
    open += 1;
    try {
      yield* watch(options);
    } finally {
      open -= 1;
    }
  };
  await using server = await startUiServer({ store });
  const pages = await Promise.all([1, 2, 3].map(() => PageClient.connect(server)));
  const heard = pages.map((page) => page.open({ kind: 'tasks', usage: false }));
  const isTold = (data: readonly unknown[]): boolean =>
    data.some((event) => (event as TasksData).kind === 'ready');
  await waitFor(() => heard.every(({ data }) => isTold(data)), 'the tasks');
  const task = await session.spawn('sleep 1000');
  for (const { data } of heard)
    await waitFor(() => rowsIn(data).get(task.id)?.status === 'running', 'each to be told of the start');
  assert.deepEqual(begun, [false]);
  // Who comes later is told all there is, and those that look at what is used share another one.
  const late = await Promise.all([4, 5].map(() => PageClient.connect(server)));
  const seen = late.map((page) => page.open({ kind: 'tasks', usage: true }));
  for (const { data } of seen)
    await waitFor(() => rowsIn(data).get(task.id)?.status === 'running', 'the task');
  await waitFor(
    () => seen.every(({ data }) => data.some((event) => (event as TasksData).kind === 'usage')),
    'usage',
  );
  assert.deepEqual(begun, [false, true]);
  for (const page of pages.slice(1)) await page[Symbol.asyncDispose]();
  await task.kill({ graceMs: 0 });
  await waitFor(
    () => rowsIn(heard[0]?.data ?? []).get(task.id)?.status === 'killed',
    'the one that is left to be told',
  );
  for (const page of [...pages, ...late]) await page[Symbol.asyncDispose]();
  await waitFor(() => open === 0, 'both to end');
  await using again = await PageClient.connect(server);
  const anew = again.open({ kind: 'tasks', usage: false });
  await waitFor(() => rowsIn(anew.data).get(task.id)?.status === 'killed', 'a new watch');
  assert.equal(begun.length, 3);
});

test(
  'a page is told the ports on which tasks listen',
  notOnWindows('outlive does not list ports there'),
  async () => {
    await using world = new World();
    const session = await world.session();
    const program = `const server = require('node:net').createServer(); server.listen(0, '127.0.0.1', () => console.log('port ' + server.address().port))`;
    const task = await session.spawn([process.execPath, '-e', program]);
    await waitFor(async () => /port \d+/.test((await task.read()).text), 'the port');
    const port = Number(/port (\d+)/.exec((await task.read()).text)?.[1]);
    await using server = await startUi(world);
    await using page = await PageClient.connect(server);
    const heard = page.open({ kind: 'tasks', usage: true });
    const told = (): readonly number[] =>
      (heard.data as TasksData[]).flatMap((data) =>
        data.kind === 'usage' ? (data.ports[task.id] ?? []) : [],
      );
    await waitFor(() => told().includes(port), 'its port');
    await task.kill({ graceMs: 0 });
  },
);

const terminals = notOnWindows('tasks have no terminals there');

test(
  'viewing changes nothing in the store, and a read-only dashboard lets nobody act',
  terminals,
  async () => {
    await using world = new World();
    const session = await world.session();
    const task = await session.spawn('echo hello; exec cat', { tty: { cols: 80, rows: 24 } });
    await waitFor(async () => (await task.read()).text.includes('hello'), 'its output');
    await session.close();
    await using server = await startUi(world, { readOnly: true });
    await using page = await PageClient.connect(server);
    await waitFor(() => page.hello !== null, 'the greeting');
    assert.deepEqual(page.hello, { type: 'hello', version: 1, readOnly: true, store: world.dir });
    const before = everything(world.dir);
    const tasks = page.open({ kind: 'tasks', usage: true });
    await waitFor(() => tasks.data.some((data) => (data as TasksData).kind === 'usage'), 'usage');
    const { id: taskId } = task;
    await page.all<TaskData>({ kind: 'task', taskId });
    await page.all<LinesData>({ kind: 'lines', taskId, stream: 'stdout', where: 'behind', offset: 0 });
    for (const action of ['stop', 'acknowledge', 'restart', 'prune'] as const)
      await assert.rejects(
        page.all({ kind: 'act', action, taskIds: [taskId] }),
        { code: 'STORE_UNWRITABLE' },
        action,
      );
    const terminal = page.open({ kind: 'terminal', taskId, cols: 80, rows: 24, readOnly: false });
    await waitFor(() => Buffer.concat(terminal.bytes).includes('hello'), 'what it shows');
    page.send({ type: 'input', id: terminal.id, text: 'typed\r' });
    // What would have been typed would be echoed before this answer.
    await page.all<TaskData>({ kind: 'task', taskId });
    assert.equal((await task.read()).text.includes('typed'), false);
    assert.deepEqual(everything(world.dir), before);
    page.send({ type: 'close', id: terminal.id });
    await waitFor(() => terminal.hasEnded, 'its end');
    const store = await world.store();
    await store.task(taskId).kill({ graceMs: 0 });
  },
);

test('actions report the result for each task, and leave ends pending', async () => {
  await using world = new World();
  await using agent = await Agent.start(world.dir, { sessionId: 'theirs' });
  const ids = await agent.run(async ({ session }) => {
    const running = await Promise.all([1, 2, 3].map(async () => (await session.spawn('sleep 1000')).id));
    const ended = await session.spawn('exit 0');
    await ended.wait({ ack: false });
    return [...running, ended.id];
  });
  const [a = '', b = '', c = '', ended = ''] = ids as string[];
  await using server = await startUi(world);
  await using page = await PageClient.connect(server);
  const stopped = await page.all<ActData>({
    kind: 'act',
    action: 'stop',
    taskIds: [a, b, 'bgb-000000000000', a],
  });
  assert.deepEqual(
    new Map(stopped.map(({ taskId, error }) => [taskId, error?.code ?? null])),
    new Map([
      [a, null],
      [b, null],
      ['bgb-000000000000', 'TASK_NOT_FOUND'],
    ]),
  );
  assert.equal(stopped.length, 3, 'each once');
  const store = await world.store();
  assert.deepEqual(
    (await store.pending('theirs')).map(({ taskId }) => taskId).sort(),
    [a, b, ended].sort(),
    'its session is told',
  );
  const pruned = await page.all<ActData>({ kind: 'act', action: 'prune', taskIds: [a, c] });
  assert.deepEqual(
    new Map(pruned.map(({ taskId, error }) => [taskId, /pending|runs/.exec(error?.message ?? '')?.[0]])),
    new Map([
      [a, 'pending'],
      [c, 'runs'],
    ]),
  );
  const acknowledged = await page.all<ActData>({ kind: 'act', action: 'acknowledge', taskIds: [a, b, c] });
  assert.deepEqual(
    new Map(acknowledged.map(({ taskId, error }) => [taskId, error === null])),
    new Map([
      [a, true],
      [b, true],
      [c, false],
    ]),
  );
  assert.deepEqual(await page.all<ActData>({ kind: 'act', action: 'prune', taskIds: [a, b] }), [
    { taskId: a, error: null },
    { taskId: b, error: null },
  ]);
  const [restarted] = await page.all<ActData>({ kind: 'act', action: 'restart', taskIds: [c] });
  assert.equal(restarted?.error, null);
  const next = restarted?.newTaskId ?? '';
  await waitFor(() => store.task(next).snapshot().status === 'running', 'the new task');
  assert.equal(store.task(c).snapshot().statusReason, 'replaced');
  assert.equal(store.task(c).snapshot().delivered, false, 'its session is told of that, too');
  await store.task(next).kill({ graceMs: 0 });
});

test('lines are read by offset in both directions, and are whole and harmless', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn(
    `i=0; while [ $i -lt 30000 ]; do echo "line $i ä"; i=$((i+1)); done; printf '\\033[31mred\\033[0m \\342\\200\\256exe.gpj\\033]0;title\\007 10%%\\r99%% <b>\\n'; printf open`,
  );
  await task.wait();
  await using server = await startUi(world);
  await using page = await PageClient.connect(server);
  const ask = async (where: LinesWhere, offset: number) => {
    const [data] = await page.all<LinesData>({
      kind: 'lines',
      taskId: task.id,
      stream: 'stdout',
      where,
      offset,
    });
    assert.ok(data);
    return data;
  };
  const end = await ask('before', Number.MAX_SAFE_INTEGER);
  assert.equal(end.to, end.size);
  assert.deepEqual(end.lines.at(-1)?.text, 'open');
  assert.equal(end.lines.at(-1)?.open, true);
  const shown = end.lines.at(-2)?.text ?? '';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: none may be left
  assert.doesNotMatch(shown, /[\x00-\x1f\u202e]/);
  assert.match(shown, /^99%/);
  let part = end;
  const lines = [...end.lines];
  while (part.from > 0) {
    const before = await ask('before', part.from);
    assert.equal(before.to, part.from, 'nothing is left out');
    lines.unshift(...before.lines);
    part = before;
  }
  assert.deepEqual(
    lines.slice(0, 30_000).map(({ text }) => text),
    Array.from({ length: 30_000 }, (_, index) => `line ${index} ä`),
  );
  const middle = lines[15_000];
  assert.ok(middle);
  const around = await ask('around', middle.offset + 3);
  assert.ok(around.from <= middle.offset && around.lines.some(({ text }) => text === middle.text));
  const behind = await ask('behind', around.to);
  assert.equal(behind.from, around.to);
});

test('a search finds lines in the whole output, by text and by pattern, and goes on where it stopped', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('seq 1 200000; echo The Needle');
  await task.wait();
  await using server = await startUi(world);
  await using page = await PageClient.connect(server);
  const find = async (
    pattern: string,
    more: { isRegexp?: boolean; ignoreCase?: boolean; offset?: number } = {},
  ) => {
    const { isRegexp = false, ignoreCase = false, offset = 0 } = more;
    const found = await page.all<SearchData>({
      kind: 'search',
      taskId: task.id,
      stream: 'stdout',
      pattern,
      isRegexp,
      ignoreCase,
      offset,
    });
    return { hits: found.flatMap(({ hits }) => hits), to: found.at(-1)?.to ?? null };
  };
  assert.deepEqual(
    (await find('The Needle')).hits.map(({ line }) => line),
    ['The Needle'],
  );
  assert.deepEqual((await find('the needle')).hits, []);
  assert.equal((await find('the needle', { ignoreCase: true })).hits.length, 1);
  assert.equal((await find('^1.*9$', { isRegexp: true })).hits[0]?.line, '19');
  assert.equal((await find('a.b*', { ignoreCase: true })).hits.length, 0, 'a text is no pattern');
  const first = await find('9');
  assert.equal(first.hits.length, 500);
  assert.notEqual(first.to, null);
  const next = await find('9', { offset: first.to ?? 0 });
  assert.ok((next.hits[0]?.offset ?? 0) > (first.hits.at(-1)?.offset ?? 0));
  await assert.rejects(find('(', { isRegexp: true }), { code: 'INVALID_ARGUMENT' });
  await assert.rejects(find('(a+)+\\1', { isRegexp: true }), { code: 'INVALID_ARGUMENT' });
});

test('a page that does not read is sent no more than its credit, and blocks nobody', async () => {
  await using world = new World();
  const session = await world.session();
  const flood = await session.spawn('yes flooding this page with a line', { maxOutputBytes: null });
  await using server = await startUi(world);
  await using idle = await PageClient.connect(server, { takes: false });
  const stuck = idle.open({ kind: 'follow', taskId: flood.id, stream: 'stdout', offset: 0 });
  await waitFor(() => idle.received >= creditBytes, 'its credit to be used up');
  await using page = await PageClient.connect(server);
  const heard = page.open({ kind: 'follow', taskId: flood.id, stream: 'stdout', offset: 0 });
  await waitFor(() => page.received > 8 * creditBytes, 'another page to go on');
  // One message may begin while there is room for a character.
  assert.ok(idle.received < 2 * creditBytes, String(idle.received));
  idle.send({ type: 'credit', amount: idle.received });
  const before = idle.received;
  await waitFor(() => idle.received > before, 'it to go on');
  assert.equal(stuck.hasEnded, false);
  page.send({ type: 'close', id: heard.id });
  await waitFor(() => heard.hasEnded, 'the end');
  await flood.kill({ graceMs: 0 });
});

test('a page that keeps asking but takes no answers is disconnected', async () => {
  await using world = new World();
  await using server = await startUi(world);
  await using page = await PageClient.connect(server, { takes: false });
  await using other = await PageClient.connect(server);
  let asked = 0;
  while (page.socket.readyState === page.socket.OPEN && asked < 100_000) {
    for (let count = 0; count < 20; count += 1) page.open({ kind: 'screen', taskId: 'bgb-000000000000' });
    asked += 20;
    await waitFor(
      () => page.socket.readyState !== page.socket.OPEN || page.ended >= asked,
      'the answers, or the end',
    );
  }
  assert.ok(page.received < 8 * 1024 ** 2, `${page.received} characters came`);
  assert.ok(asked < 100_000, 'it was let go on');
  await assert.rejects(other.all({ kind: 'screen', taskId: 'bgb-000000000000' }), { code: 'TASK_NOT_FOUND' });
});

test('several pages see one terminal, and all see what one types', terminals, async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('stty -echo; echo ready; while read line; do echo "got $line"; done', {
    tty: { cols: 80, rows: 24 },
  });
  await waitFor(async () => (await task.read()).text.includes('ready'), 'its start');
  await session.close();
  await using server = await startUi(world);
  await using one = await PageClient.connect(server);
  await using other = await PageClient.connect(server);
  const open = { kind: 'terminal', taskId: task.id, cols: 100, rows: 30 } as const;
  const typist = one.open({ ...open, readOnly: false });
  const viewer = other.open({ ...open, readOnly: true });
  await waitFor(() => Buffer.concat(typist.bytes).includes('ready'), 'the first page');
  await waitFor(() => Buffer.concat(viewer.bytes).includes('ready'), 'the second page');
  other.send({ type: 'input', id: viewer.id, text: 'nothing\r' });
  one.send({ type: 'input', id: typist.id, text: 'ls\x1c' });
  one.send({ type: 'resize', id: typist.id, cols: 90, rows: 20 });
  one.send({ type: 'input', id: typist.id, text: '\r' });
  const store = await world.store();
  await waitFor(async () => (await store.task(task.id).screen()).cols === 90, 'the size');
  await store.task(task.id).kill({ graceMs: 0 });
  await waitFor(() => typist.hasEnded && viewer.hasEnded, 'the end');
  assert.equal(Buffer.concat(viewer.bytes).includes('got nothing'), false);
});

test('a download is the output byte for byte, and its address is good once', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn(`head -c 700000 /dev/urandom; echo end`);
  await task.wait();
  await using server = await startUi(world);
  await using page = await PageClient.connect(server);
  const [answer] = await page.all<{ path: string }>({ kind: 'download', taskId: task.id, stream: 'stdout' });
  const url = new URL(answer?.path ?? '', server.url);
  const found = await fetch(url);
  assert.match(
    found.headers.get('content-disposition') ?? '',
    new RegExp(`^attachment; filename="${task.id}-stdout.log"$`),
  );
  const bytes = Buffer.from(await found.arrayBuffer());
  assert.deepEqual(bytes, (await task.read({ maxBytes: 1_000_000 })).bytes);
  assert.equal((await fetch(url)).status, 404);
});

test('sentences say how a status is known', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('exit 3');
  await task.wait();
  await using server = await startUi(world);
  await using page = await PageClient.connect(server);
  const [data] = await page.all<TaskData>({ kind: 'task', taskId: task.id });
  assert.match(
    data?.how[0] ?? '',
    /^The shim, which is the command's own parent, wrote down that it ended with 3 at /,
  );
  assert.equal(data?.how.at(-1), 'Its session has acknowledged the end.');
  assert.ok(data?.facts.some(({ text }) => text === 'the command ended with 3'));
  await assert.rejects(page.all({ kind: 'task', taskId: 'bgb-000000000000' }), { code: 'TASK_NOT_FOUND' });
});
