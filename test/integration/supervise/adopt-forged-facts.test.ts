import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { Agent } from '../../support/agents.ts';
import { appendFacts, dropExitMark, overwrite } from '../../support/logs.ts';
import { untilPrinted } from '../../support/ready.ts';
import { World, waitFor } from '../../support/world.ts';
import { exit } from '../../unit/model/sample-facts.ts';

/** As complete as the shim's own, but for the proof. */
const forged = exit(0, { proof: 'made up' });
/** What would end a task whose command has ended. */
const gone = { fact: 'gone', proof: 'made up' };
const left = { fact: 'left', processes: [], proof: 'made up' };
const outcome = {
  fact: 'outcome',
  id: 'forged',
  status: 'completed',
  reason: null,
  exitCode: 0,
  exitSignal: null,
  startedAt: null,
  endedAt: Date.now(),
  cpuMs: 0,
  bytes: 0,
  stderrBytes: 0,
  leftovers: [],
  pipeStatus: null,
};
const delivered = { fact: 'delivered', id: 'forged', at: Date.now() };

const forgeries = [
  { what: 'an exit marker', facts: [forged] },
  { what: 'an outcome', facts: [outcome] },
  { what: 'an outcome and its acknowledgement', facts: [outcome, delivered] },
  { what: 'an exit marker, an outcome and its acknowledgement', facts: [forged, outcome, delivered] },
  { what: 'an exit marker, and that nothing is left', facts: [forged, left, gone] },
];

// In the reference system a forged exit file completed a live task.
for (const { what, facts } of forgeries) {
  test(`${what} that is forged does not complete a live task, and the real exit code wins`, async () => {
    await using world = new World();
    await using agent = await Agent.start(world.dir);
    const session = await world.session();
    const command = `echo ready; while [ ! -e ${world.base}/go ]; do sleep 0.02; done; exit 5`;
    const own = await session.spawn(command);
    const adopted = await agent.run(async (scope, text) => (await scope.session.spawn(text)).id, command);
    await agent.crash();
    const tasks = [own, session.task(adopted)];
    for (const task of tasks) {
      await untilPrinted(task);
      appendFacts(world.logOf(task.id), ...facts);
    }
    // Whoever has the session open has seen the forgery when he sees what comes after it.
    const marker = await session.spawn('exit 0');
    await marker.wait();
    for (const task of tasks) assert.equal(task.snapshot().status, 'running');
    assert.deepEqual(await session.pending(), []);
    await using later = await Agent.start(world.dir);
    const seen = await later.run(async (scope) => (await scope.session.tasks()).map(({ status }) => status));
    assert.deepEqual(seen.sort(), ['completed', 'running', 'running']);
    writeFileSync(`${world.base}/go`, '');
    for (const task of tasks) {
      const { status, exitCode } = await task.wait({ ack: false });
      assert.deepEqual({ status, exitCode }, { status: 'failed', exitCode: 5 });
    }
    await waitFor(async () => (await session.pending()).length === 2, 'both completions');
  });
}

test('a record whose spec is garbage is settled by its exit marker', async () => {
  await using world = new World();
  await using agent = await Agent.start(world.dir);
  const ids = await agent.run(
    async ({ session }) =>
      await Promise.all([0, 3].map(async (code) => (await session.spawn(`exit ${code}`)).id)),
  );
  await agent.crash();
  await waitFor(() => world.pids().length === 0, 'the commands to end');
  for (const id of ids) overwrite(world.logOf(id), '{"fact":"spec"', '#############"');
  const session = await world.session();
  const statuses = ids.map((id) => session.task(id).snapshot().status);
  assert.deepEqual(statuses, ['completed', 'failed']);
  assert.deepEqual((await session.takePending()).map(({ exitCode }) => exitCode).sort(), [0, 3]);
});

test('a task with an unreadable record is lost, and harms no other task', async () => {
  await using world = new World();
  await using agent = await Agent.start(world.dir);
  const ids = await agent.run(
    async ({ session }) =>
      await Promise.all([0, 3].map(async (code) => (await session.spawn(`exit ${code}`)).id)),
  );
  await agent.crash();
  await waitFor(() => world.pids().length === 0, 'the commands to end');
  const [broken = '', whole = ''] = ids;
  writeFileSync(world.logOf(broken), '\0'.repeat(5000));
  dropExitMark(world.logOf(broken));
  const session = await world.session();
  assert.equal((await session.task(broken).wait()).status, 'lost');
  assert.equal((await session.task(whole).wait()).exitCode, 3);
  // The outcome was appended a moment ago; that does not make it a task that may still start.
  const { status, statusReason } = session.task(broken).snapshot();
  assert.deepEqual({ status, statusReason }, { status: 'lost', statusReason: 'unreadable_record' });
});
