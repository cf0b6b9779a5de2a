import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { isEnded, type TaskStatus } from '../../../src/index.ts';
import { parseFact } from '../../../src/tasklog/codec.ts';
import type { Aftermath } from '../../support/aftermath.ts';
import type { AgentScope } from '../../support/agent-types.ts';
import { Agent } from '../../support/agents.ts';
import { filesBelow } from '../../support/below.ts';
import { crashAtEveryCall } from '../../support/crashes.ts';
import { isStopped } from '../../support/moments/at-call.ts';
import { later } from '../../support/moments/observer.ts';
import { fixturePath, World, waitFor } from '../../support/world.ts';

/** The id of the task that a task replaces, by its record; null: nobody's. */
function replacedBy(dir: string, taskId: string): string | null {
  const log = filesBelow(dir).find((path) => path.endsWith(`/${taskId}.jsonl`)) ?? '';
  const facts = readFileSync(log, 'utf8').split('\n').map(parseFact);
  const spec = facts.find((fact) => fact?.fact === 'spec');
  return spec?.fact === 'spec' ? (spec.replaces?.split('.')[0] ?? null) : null;
}

/** Whether a task is watched as the old one was, from its record alone. */
function isWatched(dir: string, taskId: string): boolean {
  const log = filesBelow(dir).find((path) => path.endsWith(`/${taskId}.jsonl`)) ?? '';
  return readFileSync(log, 'utf8').includes('{"fact":"watch","id":"listening"');
}

/** One of both has run to the end, or the old one was stopped and its end was left for others to be told. */
async function checkRestarts({ dir, told, tasks, acknowledged }: Aftermath): Promise<void> {
  for (const taskId of told.restarts) {
    const old = tasks.find((task) => task.taskId === taskId);
    assert.ok(old !== undefined);
    const others = tasks.filter((task) => replacedBy(dir, task.taskId) === taskId);
    const ran = others.filter(({ startedAt }) => startedAt !== null);
    assert.ok(ran.length <= 1, 'at most one takes the place');
    for (const one of [old, ...ran]) assert.ok(isWatched(dir, one.taskId), 'each is watched');
    if (ran[0] === undefined) assert.ok(!acknowledged.includes(taskId), 'its end is pending');
    else
      assert.ok((old.endedAt ?? Number.POSITIVE_INFINITY) <= (ran[0].startedAt ?? 0), 'never both at once');
  }
  const secrets = existsSync(`${dir}.secrets`) ? readFileSync(`${dir}.secrets`, 'utf8').split('\n') : [];
  assert.ok(
    secrets.every((line) => line === 'hunter2' || line === ''),
    `each had its variables: ${secrets}`,
  );
  // Who opens a FIFO waits for its other side.
  const files = filesBelow(dir).filter((path) => statSync(path).isFile());
  for (const path of files) assert.ok(!readFileSync(path).includes('hunter2'), path);
}

test('a restart that dies at any call leaves the old task, the new one, or a pending end, and never both tasks', async (t) => {
  t.diagnostic(`${await crashAtEveryCall('restart', checkRestarts)} calls`);
});

interface Asked {
  readonly sessionId: string;
  readonly taskId: string;
}

/** Restarts a task, in an agent: this function goes there as text. */
async function restart(
  { store }: AgentScope,
  { sessionId, taskId }: Asked,
): Promise<{ calls: number; code: string | null }> {
  type Counter = { begin(): void; calls(): number };
  const counter = (globalThis as unknown as { diesAtCall?: Counter }).diesAtCall;
  counter?.begin();
  let code: string | null = null;
  const session = await store.session(sessionId);
  try {
    await session.task(taskId).restart({ graceMs: 30 });
  } catch (error) {
    code = (error as { code?: string }).code ?? null;
    if (code === null) throw error;
  }
  await session.close();
  return { calls: counter?.calls() ?? 0, code };
}

async function isRunning(world: World, sessionId: string): Promise<boolean> {
  const tasks = await (await world.store()).tasks({ sessionId, live: true });
  return tasks.length > 0 && tasks.every(({ status }) => status === 'running');
}

/** One process is stopped at one of its calls while it restarts a task, another one does the same, and the first goes on. */
async function stopAndGoOn(world: World, observer: Agent, number: number, name?: string): Promise<number> {
  const sessionId = `${name ?? 'unnamed'}-${number}`;
  const session = await world.session(sessionId);
  const old = await session.spawn('exec sleep 300', { ...(name !== undefined && { name }) });
  await waitFor(() => old.snapshot().startedAt !== null, 'the old one to run');
  await session.close();
  const asked = { sessionId, taskId: old.id };
  await using first = await Agent.start(world.dir, {
    node: ['--import', pathToFileURL(fixturePath('dies-at-call.mjs')).href],
    env: { PAUSES_AT_CALL: String(number) },
  });
  let isOver = false;
  const restarting = first.run(restart, asked).finally(() => {
    isOver = true;
  });
  await waitFor(() => isOver || isStopped(first.pid), 'the first one to stop or to end');
  // For the second one it is an hour later: a task that has not said yet that it runs would never do so.
  if (isOver) await waitFor(async () => await isRunning(world, sessionId), 'the new one to run');
  const second = await observer.run(restart, asked);
  assert.equal(second.code, null);
  if (!isOver) process.kill(first.pid, 'SIGCONT');
  const { calls } = await restarting;
  const again = await world.session(sessionId);
  const isSettled = (status: string): boolean => status === 'running' || isEnded(status as TaskStatus);
  await waitFor(async () => (await again.tasks()).every(({ status }) => isSettled(status)), 'all to settle');
  const alive = (await again.tasks()).filter(({ status }) => !isEnded(status));
  assert.ok(alive.length <= 1, `never both after a stop at call ${number}`);
  // For one whose clock is an hour ahead a task that starts slowly was given up: then that is pending.
  if (alive.length === 0)
    assert.ok((await again.pending()).length > 0, `no word after a stop at call ${number}`);
  await again.shutdown({ graceMs: 0 });
  await again.close();
  return calls;
}

for (const name of ['dev', undefined])
  test(`when a restart of a task ${name === undefined ? 'without' : 'with'} a name is stopped for an hour at any call, one task runs or an end is pending`, {
    skip: process.platform !== 'linux' && 'whether a process is stopped is read from /proc',
  }, async (t) => {
    await using world = new World();
    await using observer = await Agent.start(world.dir, { node: ['--import', later] });
    const calls = await stopAndGoOn(world, observer, 0, name);
    assert.ok(calls > 20);
    const step = Number(process.env.OUTLIVE_CRASH_STEP ?? 24);
    for (let number = 1 + Math.floor(Math.random() * step); number <= calls; number += step)
      await stopAndGoOn(world, observer, number, name);
    t.diagnostic(`${calls} calls`);
  });
