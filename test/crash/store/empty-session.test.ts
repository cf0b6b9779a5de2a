import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { removeIfEmpty } from '../../../src/engine/store/empty-session.ts';
import { makeSessionFolders } from '../../../src/engine/store/session-folder.ts';
import { bounds, isEnded } from '../../../src/index.ts';
import { sessionPaths } from '../../../src/tasklog/paths.ts';
import { Agent } from '../../support/agents.ts';
import { atSomeCalls } from '../../support/crashes.ts';
import { isStopped } from '../../support/moments/at-call.ts';
import { fixturePath, World, waitFor } from '../../support/world.ts';

/** An agent that is killed or stopped before its n-th call, from when it is told to begin; 0: it only counts. */
async function agentThat(act: 'DIES' | 'PAUSES', dir: string, at: number): Promise<Agent> {
  return await Agent.start(dir, {
    sessionId: 'another',
    node: ['--import', pathToFileURL(fixturePath('dies-at-call.mjs')).href],
    env: { [`${act}_AT_CALL`]: String(at) },
  });
}

interface Counter {
  begin(): void;
  calls(): number;
}

/** Removes the last task of a session, and the session with it. How many calls that took. */
async function prune(agent: Agent, id: string): Promise<number> {
  return await agent.run(async ({ store }, sessionId) => {
    const counter = (globalThis as unknown as { diesAtCall: Counter }).diesAtCall;
    counter.begin();
    await store.prune({ sessionId, olderThanMs: 0 });
    return counter.calls();
  }, id);
}

/** Spawns what needs all of a session's folders. How many calls that took, and the ids. */
async function spawnAll(agent: Agent, id: string): Promise<{ calls: number; ids: string[] }> {
  return await agent.run(
    async ({ store }, { sessionId, long }) => {
      const counter = (globalThis as unknown as { diesAtCall: Counter }).diesAtCall;
      const session = await store.session(sessionId);
      counter.begin();
      const separate = await session.spawn('echo out; echo err >&2; exit 3', { separate: true });
      const other = await session.spawn(`echo long; exit 4 #${long}`);
      return { calls: counter.calls(), ids: [separate.id, other.id] };
    },
    { sessionId: id, long: 'x'.repeat(2 * bounds.argumentBytes) },
  );
}

/** Looks that tasks are there for everybody, ran, and have their output; then removes the session. */
async function checkSpawned(world: World, id: string, ids: readonly string[]): Promise<void> {
  const store = await world.store({ readOnly: true });
  await waitFor(
    () => ids.every((taskId) => isEnded(store.task(taskId).snapshot().status)),
    'the tasks to end',
  );
  const seen = ids.map((taskId) => store.task(taskId).snapshot());
  const told = seen.map(({ sessionId, exitCode, spawnError }) => [sessionId, exitCode, spawnError]);
  assert.deepEqual(told, [
    [id, 3, null],
    [id, 4, null],
  ]);
  const [separate = '', long = ''] = ids;
  assert.equal((await store.task(separate).tail({ stream: 'stderr' })).text, 'err\n');
  assert.equal((await store.task(long).tail()).text, 'long\n');
  assert.ok(store.sessions().includes(id), 'the session is listed');
  assert.deepEqual((await store.pending(id)).map(({ taskId }) => taskId).sort(), [...ids].sort());
  const session = await world.session(id);
  await session.takePending();
  const { taskIds } = await session.prune({ olderThanMs: 0 });
  assert.ok(ids.every((taskId) => taskIds.includes(taskId)));
  await session.close();
  // Others, who still have it open, may be about to put a log away: then it is removed by the next who looks.
  const pruner = await world.store();
  await waitFor(async () => {
    if (!existsSync(sessionPaths(world.dir, id).dir)) return true;
    await pruner.prune({ sessionId: id, olderThanMs: 0 });
    return false;
  }, 'the session to be removed');
  assert.deepEqual(
    world.files().filter((path) => path.includes('.tmp')),
    [],
  );
}

async function withOneTask(world: World, id: string): Promise<void> {
  const session = await world.session(id);
  await session.run('true');
  await session.close();
}

for (const act of ['PAUSES', 'DIES'] as const) {
  const what = act === 'DIES' ? 'is killed' : 'is stopped for long';
  test(`a process that ${what} at any call while it removes a session harms no task that comes meanwhile`, async (t) => {
    await using world = new World();
    const removeAt = async (number: number): Promise<number | null> => {
      const id = `${act}-${number}`;
      await withOneTask(world, id);
      await using spawner = await agentThat('PAUSES', world.dir, 0);
      await using remover = await agentThat(act, world.dir, number);
      let calls: number | null = null;
      let isGone = false;
      const pruning = prune(remover, id).then(
        (made) => {
          calls = made;
        },
        () => {
          isGone = true;
        },
      );
      await waitFor(() => calls !== null || isGone || isStopped(remover.pid), 'it to stop or to end');
      // One spawns before it goes on, and another in the moment in which it does.
      const { ids } = await spawnAll(spawner, id);
      if (isStopped(remover.pid)) process.kill(remover.pid, 'SIGCONT');
      await pruning;
      await checkSpawned(world, id, ids);
      return calls;
    };
    const calls = await removeAt(0);
    assert.ok(calls !== null && calls >= 5, `${calls} calls`);
    await atSomeCalls(calls, async (number) => void (await removeAt(number)));
    t.diagnostic(`${calls} calls`);
  });
}

test('a spawner that is stopped at any call while its session is removed has a record of what it starts', async (t) => {
  await using world = new World();
  const spawnAt = async (number: number): Promise<number | null> => {
    const id = `spawn-${number}`;
    const paths = sessionPaths(world.dir, id);
    makeSessionFolders(paths, id);
    await using spawner = await agentThat('PAUSES', world.dir, number);
    let done: { calls: number; ids: string[] } | null = null;
    const spawning = spawnAll(spawner, id).then((answer) => {
      done = answer;
    });
    await waitFor(() => done !== null || isStopped(spawner.pid), 'it to stop or to end');
    removeIfEmpty(paths);
    if (done === null) process.kill(spawner.pid, 'SIGCONT');
    // It is removed again and again while the spawner goes on.
    while (done === null) {
      removeIfEmpty(paths);
      await new Promise((next) => setTimeout(next, 1));
    }
    await spawning;
    const { calls, ids } = done as { calls: number; ids: string[] };
    await checkSpawned(world, id, ids);
    return calls;
  };
  const calls = await spawnAt(0);
  assert.ok(calls !== null && calls > 10, `${calls} calls`);
  await atSomeCalls(calls, async (number) => void (await spawnAt(number)));
  t.diagnostic(`${calls} calls`);
});

test('a remover and a spawner that are both stopped, at any two calls, do no harm to each other in either order', async () => {
  await using world = new World();
  const removing = 6;
  let number = 0;
  const pair = async (remove: number, spawn: number, removerFirst: boolean): Promise<void> => {
    number += 1;
    const id = `pair-${number}`;
    await withOneTask(world, id);
    await using remover = await agentThat('PAUSES', world.dir, remove);
    await using spawner = await agentThat('PAUSES', world.dir, spawn);
    let [isPruned, done] = [false, null as { calls: number; ids: string[] } | null];
    const pruning = prune(remover, id).then(() => {
      isPruned = true;
    });
    await waitFor(() => isPruned || isStopped(remover.pid), 'the remover to stop or to end');
    const spawning = spawnAll(spawner, id).then((answer) => {
      done = answer;
    });
    await waitFor(() => done !== null || isStopped(spawner.pid), 'the spawner to stop or to end');
    const order = removerFirst ? [remover, spawner] : [spawner, remover];
    for (const { pid } of order) {
      if (isStopped(pid)) process.kill(pid, 'SIGCONT');
      await (pid === remover.pid ? pruning : spawning);
    }
    await checkSpawned(world, id, (done as { calls: number; ids: string[] } | null)?.ids ?? []);
  };
  const every = process.env.OUTLIVE_CRASH_STEP === '1';
  const pairs: [number, number][] = [];
  for (let remove = 2; remove <= removing + 3; remove += 1)
    for (let spawn = 1; spawn <= 14; spawn += 1) pairs.push([remove, spawn]);
  const chosen = every ? pairs : pairs.sort(() => Math.random() - 0.5).slice(0, 3);
  for (const [remove, spawn] of chosen)
    for (const removerFirst of [true, false]) await pair(remove, spawn, removerFirst);
});
