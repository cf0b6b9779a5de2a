import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { Aftermath } from '../../support/aftermath.ts';
import type { AgentScope } from '../../support/agent-types.ts';
import { Agent } from '../../support/agents.ts';
import { crashAtEveryCall } from '../../support/crashes.ts';
import { isStopped } from '../../support/moments/at-call.ts';
import { later } from '../../support/moments/observer.ts';
import { fixturePath, World, waitFor } from '../../support/world.ts';

/** Asks again for all that the process that died has asked for. */
async function askAgain(after: Aftermath): Promise<void> {
  const { dir, session } = after;
  for (const key of ['a', 'b', 'c']) {
    const command = `echo "$OUTLIVE_TASK" >>'${dir}.ran'; echo ${key} >>'${dir}.keys'`;
    const task = await session.spawn(command, { key, labels: { ends: 'completed 0' } });
    const { status } = await task.wait({ ack: false });
    assert.equal(status, 'completed', 'what never ran keeps no key');
    const again = await session.spawn('exit 9', { key });
    assert.deepEqual([again.id, again.reused], [task.id, true]);
  }
  after.tasks = await session.tasks();
  assert.deepEqual(readFileSync(`${dir}.keys`, 'utf8').split('\n').sort(), ['', 'a', 'b', 'c']);
}

test('one task runs for a key, at whichever call its spawner dies, and the key does not stay taken without a task', async (t) => {
  t.diagnostic(`${await crashAtEveryCall('key', askAgain)} calls`);
});

interface Asked {
  readonly id: string;
  readonly ran: string;
}

/** Spawns for three keys at once, in an agent: this function goes there as text. What each call has come to. */
async function spawnForKeys(
  { store }: AgentScope,
  { id, ran }: Asked,
): Promise<{ calls: number; answers: (string | null)[] }> {
  type Counter = { begin(): void; calls(): number };
  const counter = (globalThis as unknown as { diesAtCall?: Counter }).diesAtCall;
  counter?.begin();
  const session = await store.session(id);
  const answers = await Promise.all(
    ['a', 'b', 'c'].map(async (key) => {
      try {
        return (await session.spawn(`echo ${key} >>'${ran}'`, { key })).id;
      } catch (error) {
        // It may find that its record was removed, or that it was given up.
        if ((error as { code?: string }).code === undefined) throw error;
        return null;
      }
    }),
  );
  await session.close();
  return { calls: counter?.calls() ?? 0, answers };
}

/** One spawner is stopped at one of its calls, another one asks for the same, and the first goes on. */
async function stopAndGoOn(world: World, observer: Agent, number: number): Promise<number> {
  const asked = { id: `stopped-at-${number}`, ran: `${world.base}/ran-${number}` };
  await using spawner = await Agent.start(world.dir, {
    node: ['--import', pathToFileURL(fixturePath('dies-at-call.mjs')).href],
    env: { PAUSES_AT_CALL: String(number) },
  });
  let made: Awaited<ReturnType<typeof spawnForKeys>> | null = null;
  const spawning = spawner.run(spawnForKeys, asked).then((answer) => {
    made = answer;
    return answer;
  });
  await waitFor(() => made !== null || isStopped(spawner.pid), 'the spawner to stop or to end');
  // For the second one it is an hour later: a task that has not said yet that it runs would never do so.
  const haveRun = (): boolean =>
    existsSync(asked.ran) && readFileSync(asked.ran, 'utf8').split('\n').length > 3;
  if (made !== null) await waitFor(haveRun, 'the tasks to run');
  const second = await observer.run(spawnForKeys, asked);
  // For the first one the second lives an hour from now: a start of that one that it sees half done it would give up.
  await waitFor(haveRun, 'the tasks to run');
  if (made === null) process.kill(spawner.pid, 'SIGCONT');
  const first = await spawning;
  const session = await world.session(asked.id);
  const tasks = await Promise.all(
    (await session.tasks()).map(({ taskId }) => session.task(taskId).wait({ ack: false })),
  );
  const statusOf = (id: string | null | undefined): string =>
    tasks.find(({ taskId }) => taskId === id)?.status ?? 'none';
  for (const place of [0, 1, 2]) {
    assert.equal(statusOf(second.answers[place]), 'completed', 'the second spawner has what ran');
    if (first.answers[place] !== second.answers[place])
      assert.ok(
        ['failed', 'none'].includes(statusOf(first.answers[place])),
        'the first has what did not run',
      );
  }
  assert.deepEqual(readFileSync(asked.ran, 'utf8').split('\n').sort(), ['', 'a', 'b', 'c'], `at ${number}`);
  await session.close();
  return first.calls;
}

test('one task runs for a key when its spawner is stopped for an hour at any call and then goes on', {
  skip: process.platform !== 'linux' && 'whether a process is stopped is read from /proc',
}, async (t) => {
  await using world = new World();
  await using observer = await Agent.start(world.dir, { node: ['--import', later] });
  const calls = await stopAndGoOn(world, observer, 0);
  assert.ok(calls > 20);
  const step = Number(process.env.OUTLIVE_CRASH_STEP ?? 24);
  for (let number = 1 + Math.floor(Math.random() * step); number <= calls; number += step)
    await stopAndGoOn(world, observer, number);
  t.diagnostic(`${calls} calls`);
});
