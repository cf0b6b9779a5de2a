import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { Agent } from '../../support/agents.ts';
import { factOf } from '../../support/logs.ts';
import {
  compileAtCall,
  isStopped,
  readReport,
  untilStopped,
  whyNoTracing,
} from '../../support/moments/at-call.ts';
import { commandOf } from '../../support/moments/lives.ts';
import { later } from '../../support/moments/observer.ts';
import { CaseRecord } from '../../support/moments/record.ts';
import { fixturePath, World, waitFor } from '../../support/world.ts';

/** Gives up a task whose shim has said nothing for an hour, and is stopped at one of its calls. How many it made. */
async function giveUp(world: World, spawner: Agent, number: number): Promise<number | null> {
  const record = new CaseRecord(world, `given-up-${number}`);
  const report = `${record.ran}.report`;
  const spawned = spawner.run(
    async ({ store }, { id, command, env }) =>
      (await (await store.session(id)).spawn(command, { name: 'case', env })).id,
    {
      id: record.id,
      command: commandOf('sleep 300', world.dir, record.ran),
      env: { AT_CALL: `shim:0:stop:${report}` },
    },
  );
  await waitFor(() => readReport(report) !== null, 'the shim to be stopped');
  const shim = readReport(report)?.pid ?? 0;
  await untilStopped(shim);
  const taskId = await spawned;
  await using settler = await Agent.start(world.dir, {
    node: ['--import', later, '--import', pathToFileURL(fixturePath('dies-at-call.mjs')).href],
    env: { PAUSES_AT_CALL: String(number) },
  });
  let calls: number | null = null;
  const settling = settler
    .run(async ({ store }, id) => {
      const counter = (globalThis as unknown as { diesAtCall: { begin(): void; calls(): number } })
        .diesAtCall;
      counter.begin();
      const session = await store.session(id);
      for (const task of await session.tasks())
        await session.task(task.taskId).wait({ ack: false, timeoutMs: 100 });
      return counter.calls();
    }, record.id)
    .then((made) => {
      calls = made;
    });
  await waitFor(() => calls !== null || isStopped(settler.pid), 'the settler to stop or to end');
  const isGivenUp = record.has('outcome');
  process.kill(shim, 'SIGCONT');
  await waitFor(() => record.lines().includes('recorded') || record.has('exit'), 'the shim to go on');
  assert.equal(record.lines().length === 0, isGivenUp, 'the first word of all counts');
  if (calls === null) process.kill(settler.pid, 'SIGCONT');
  await settling;
  const session = await world.session(record.id);
  if (isGivenUp) {
    assert.equal((await session.task(taskId).wait()).statusReason, 'spawn_aborted');
  } else {
    assert.equal(session.task(taskId).snapshot().status, 'running');
    process.kill(factOf(world.logOf(taskId), 'started').shimPid, 'SIGKILL');
    const end = await session.task(taskId).wait();
    assert.equal(end.status, 'lost');
    assert.ok(
      end.leftovers.some(({ pid }) => pid === end.pid),
      'its command is named',
    );
  }
  await session.task(taskId).kill({ graceMs: 0 });
  await record.untilNothingIsLeft(() => undefined);
  await session.close();
  return calls;
}

test('a process that gives up a task, and is stopped at any call of that, does not undo a start', {
  skip: whyNoTracing(),
}, async (t) => {
  await using world = new World();
  await using spawner = await Agent.start(world.dir, { env: { OUTLIVE_SHIM: compileAtCall(world) } });
  const calls = await giveUp(world, spawner, 0);
  assert.ok(calls !== null && calls > 3);
  // About there the outcome is written: a start that came in between was told as an aborted one. Who asks for every call
  // gets every call.
  const [first, last] = process.env.OUTLIVE_CRASH_STEP === '1' ? [1, calls] : [12, 22];
  for (let number = first; number <= last; number += 1) await giveUp(world, spawner, number);
  t.diagnostic(`calls ${first} to ${last} of ${calls}`);
});

test('a process that gives up a start ends nothing that may still start, whatever the policy for leftovers', {
  skip: whyNoTracing(),
}, async () => {
  await using world = new World();
  await using spawner = await Agent.start(world.dir, { env: { OUTLIVE_SHIM: compileAtCall(world) } });
  const record = new CaseRecord(world, 'given-up');
  const report = `${record.ran}.report`;
  const asked = {
    id: record.id,
    command: commandOf('sleep 300', world.dir, record.ran),
    env: { AT_CALL: `shim:0:stop:${report}` },
  };
  const taskId = await spawner.run(async ({ store }, { id, command, env }) => {
    const options = { name: 'case', env, leftovers: 'kill', graceMs: 0 } as const;
    return (await (await store.session(id)).spawn(command, options)).id;
  }, asked);
  await waitFor(() => readReport(report) !== null, 'the shim to be stopped');
  const shim = readReport(report)?.pid ?? 0;
  await untilStopped(shim);
  await using settler = await Agent.start(world.dir, { node: ['--import', later] });
  const end = await settler.run(
    async ({ store }, [id, task]) => await (await store.session(id)).task(task).wait({ ack: false }),
    [record.id, taskId] as const,
  );
  assert.deepEqual([end.status, end.statusReason, end.leftovers], ['failed', 'spawn_aborted', []]);
  assert.ok(isStopped(shim), 'it ends by itself, when it has read that it is not to start anything');
  process.kill(shim, 'SIGCONT');
  await record.untilNothingIsLeft(() => undefined);
  assert.deepEqual(record.lines(), []);
});
