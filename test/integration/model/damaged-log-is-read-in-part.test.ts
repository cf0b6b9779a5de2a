import assert from 'node:assert/strict';
import { appendFileSync, truncateSync } from 'node:fs';
import { test } from 'node:test';
import { bounds, diagnose, type Session } from '../../../src/index.ts';
import { Agent } from '../../support/agents.ts';
import { costOf } from '../../support/counted.ts';
import { World } from '../../support/world.ts';

const facts = '{"fact":"seen","watch":"w","id":"x","offset":1,"at":1}\n';

const lists = `{"fact":"x","x":${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}}\n`;

const damages: Readonly<Record<string, (log: string) => void>> = {
  '60 MB of line breaks': (log) => appendFileSync(log, Buffer.alloc(60_000_000, 10)),
  '200 MB of zeros': (log) => truncateSync(log, 200 * 1024 ** 2),
  '3 GB of nothing': (log) => truncateSync(log, 3 * 1024 ** 3),
  '30 MB of torn facts': (log) => appendFileSync(log, '{"fact":"exit",\n'.repeat(2_000_000)),
  '50 MB of facts': (log) => appendFileSync(log, facts.repeat(1_000_000)),
  '3 MB in one line': (log) => appendFileSync(log, `{"fact":"exit","x":"${'x'.repeat(3_000_000)}"}\n`),
  '8 MB of lists in lists': (log) => appendFileSync(log, lists.repeat(4)),
};

/** What one look at a log reads at most. */
const lookBytes = bounds.logHeadBytes + bounds.logTailBytes;

const ids = (found: readonly { readonly taskId: string }[]): string[] => found.map(({ taskId }) => taskId);

/** Everything that is done with the tasks of a session by people who look at it. */
async function lookAround(world: World, taskId: string): Promise<void> {
  const store = await world.store({ readOnly: true });
  await store.tasks();
  await store.pending('test');
  store.find(taskId, 'test');
  await store.inspect(taskId);
  await store.task(taskId).tail();
  await store.prune({ dryRun: true });
}

for (const [damage, apply] of Object.entries(damages)) {
  test(`a log with ${damage} in it is read in part, costs little, and is reported as damaged`, async () => {
    await using world = new World();
    const first = await world.session();
    const broken = await first.spawn('echo broken; exit 5');
    await broken.wait({ ack: false });
    await first.close();
    apply(world.logOf(broken.id));

    const looks = await costOf(() => lookAround(world, broken.id));
    assert.ok(looks.mostAtOnce <= bounds.logBytes, `${looks.mostAtOnce} bytes at once`);
    assert.ok(looks.bytes <= 12 * bounds.logBytes, `${looks.bytes} bytes`);
    assert.ok(looks.parses <= 12 * bounds.logFacts, `${looks.parses} lines`);

    const session = await world.session();
    const { status, exitCode, damaged, output } = session.task(broken.id).snapshot();
    assert.deepEqual([status, exitCode, damaged, output.preview], ['failed', 5, true, 'broken\n']);
    const { findings } = await diagnose({ dir: world.dir });
    const told = findings.find(({ check }) => check === 'records');
    assert.match(told?.message ?? '', new RegExp(`^1 record is damaged: .*${broken.id}`));
    // It is acknowledged like any other, for good.
    assert.deepEqual(ids(await session.takePending()), [broken.id]);
    await session.close();
    const later = await world.session();
    assert.deepEqual([await later.pending(), later.task(broken.id).snapshot().delivered], [[], true]);
    assert.deepEqual((await later.prune({ olderThanMs: 0 })).taskIds, [broken.id]);
  });

  test(`a running task with ${damage} in its log can be stopped, and is told once`, async () => {
    await using world = new World();
    const session = await world.session();
    const task = await session.spawn('echo ready; sleep 1000');
    for await (const { text } of task.follow()) if (text.includes('ready')) break;
    apply(world.logOf(task.id));
    assert.equal(task.snapshot().status, 'running');
    const other = await openAnother(world);
    assert.equal((await other.task(task.id).kill({ graceMs: 0, ack: false })).status, 'killed');
    assert.equal((await task.wait({ ack: false })).statusReason, 'kill');
    for (const one of [session, other]) assert.deepEqual(ids(await one.pending()), [task.id]);
    assert.equal(await task.ack(), true);
    assert.equal(await other.task(task.id).ack(), false);
    assert.deepEqual(world.commandPids(), []);
  });
}

async function openAnother(world: World): Promise<Session> {
  return await world.session();
}

test('reading thirty damaged logs does not block the event loop', async () => {
  await using world = new World();
  const first = await world.session();
  for (let count = 0; count < 30; count += 1) {
    const { task } = await first.run('true');
    appendFileSync(world.logOf(task.id), facts.repeat(100_000));
  }
  await first.close();
  const opened = await costOf(async () => void (await world.session()));
  assert.ok(opened.mostInATurn <= 3 * lookBytes, `${opened.mostInATurn} bytes in a turn`);
  const listed = await costOf(async () => void (await (await world.store({ readOnly: true })).tasks()));
  assert.ok(listed.turns >= 10, `${listed.turns} turns`);
});

test('a damaged log costs a process less than 100 MB of memory', async () => {
  await using world = new World();
  const session = await world.session();
  const ids: string[] = [];
  for (const damage of Object.keys(damages))
    ids.push((await session.run(`echo ${damage.replace(/\W/g, '-')}`)).task.id);
  await session.close();
  const logs = ids.map((id) => world.logOf(id));
  await using agent = await Agent.start(world.dir, { sessionId: 'other' });
  const used = async (): Promise<number> =>
    await agent.run(async ({ store, openStore }) => {
      await store.tasks();
      await (await openStore({ dir: store.dir, readOnly: true })).pending('test');
      return process.resourceUsage().maxRSS * 1024;
    });
  const before = await used();
  for (const [index, apply] of Object.values(damages).entries()) apply(logs[index] ?? '');
  assert.ok((await used()) - before < 100 * 1024 ** 2, `${before} before, ${await used()} afterwards`);
});
