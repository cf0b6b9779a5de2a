import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isEnded } from '../../src/index.ts';
import { Agent } from '../support/agents.ts';
import { scaled, shareMs } from '../support/load/budget.ts';
import { tellFigure } from '../support/load/figures.ts';
import { Gauge } from '../support/load/gauge.ts';
import { World, waitFor } from '../support/world.ts';

test('200 sessions in one process each get their own completions, and closing them frees everything', async (t) => {
  await using world = new World();
  const sessions = scaled(200, 15);
  const perSession = 5;
  await using agent = await Agent.start(world.dir, { node: ['--expose-gc'] });
  await agent.run(async ({ session }) => void (await (await session.spawn('true')).wait()));
  const gauge = new Gauge(agent);
  // The first round compiles the code and lets tables grow; what the second one leaves behind is a leak.
  const rights = [...(await openSessions(agent, 'first', sessions, perSession))];
  await closeSessions(agent);
  const before = await gauge.look();
  rights.push(...(await openSessions(agent, 'second', sessions, perSession)));
  const open = await gauge.look();
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  const idle = await gauge.look();
  await closeSessions(agent);
  await gauge.stop();
  const after = await gauge.look();
  const kib = (mb: number): string => ((mb * 1e6) / 1024 / sessions).toFixed(1);
  tellFigure(
    t,
    `${sessions} sessions in one process: ${kib(open.heapMb - before.heapMb)} KiB of heap each while open, ` +
      `${kib(after.heapMb - before.heapMb)} KiB afterwards; ${idle.cpuPercent.toFixed(2)} % of a core when nothing ` +
      `happens; descriptors ${before.descriptors}, ${open.descriptors}, ${after.descriptors}`,
  );
  assert.ok(rights.every(Boolean), 'each session is told of its own tasks, and of no other');
  assert.ok(after.heapMb - before.heapMb < sessions * 0.004, 'a closed session holds next to nothing');
  assert.ok(after.descriptors <= before.descriptors, `${after.descriptors} descriptors`);
  assert.ok(open.descriptors - before.descriptors < 10, 'no descriptor a session');
});

test('20 processes on one store: no task and no completion is lost, and none is acknowledged twice', async (t) => {
  await using world = new World();
  const [processes, sessions, each] = [20, 5, scaled(60, 30)];
  const agents: Agent[] = [];
  await using _all = {
    async [Symbol.asyncDispose]() {
      await Promise.all(agents.map((agent) => agent[Symbol.asyncDispose]()));
    },
  };
  const start = async (n: number): Promise<Agent> => {
    const agent = await Agent.start(world.dir, {
      sessionId: `shared ${n % sessions}`,
      session: { maxRunning: 500 },
    });
    await agent.takeCompletions();
    return agent;
  };
  agents.push(...(await Promise.all(Array.from({ length: processes }, (_, n) => start(n)))));
  const begin = performance.now();
  const spawning = Promise.allSettled(
    agents.map((agent, number) =>
      agent.run(
        async ({ session }, { count, by, limitMs }) => {
          const end = performance.now() + limitMs;
          let n = 0;
          for (; n < count && performance.now() < end; n += 1) {
            await session.spawn(`exit ${n % 7}`, { labels: { code: `${n % 7}`, by: `${by}` } });
          }
          return n;
        },
        { count: each, by: number, limitMs: shareMs(0.4) },
      ),
    ),
  );
  // One process of each session dies in the middle of it.
  const victims = agents.slice(0, sessions);
  const crashAt = performance.now() + shareMs(0.2);
  const isTime = (): boolean =>
    performance.now() > crashAt || world.taskIds().length > (processes * each) / 3;
  await waitFor(isTime, 'a third of the tasks', 120_000);
  await Promise.all(victims.map((victim) => victim.crash()));
  const answered = (await spawning).reduce(
    (sum, result) => sum + (result.status === 'fulfilled' ? result.value : 0),
    0,
  );
  const survivors = agents.slice(sessions);
  const store = await world.store();
  const pending = async (): Promise<number> => {
    const tasks = await store.tasks();
    return tasks.filter((task) => !isEnded(task.status) || !task.delivered).length;
  };
  await waitFor(async () => (await pending()) === 0, 'every task to be ended and acknowledged', 120_000);
  const ms = performance.now() - begin;
  const tasks = await store.tasks();
  const wrong = tasks.filter(({ exitCode, labels, statusReason }) => {
    // The spawn that a process was in when it was killed was never answered, and perhaps never came to its command.
    const isAborted = Number(labels.by) < victims.length && statusReason === 'spawn_aborted';
    return String(exitCode) !== labels.code && !isAborted;
  });
  // Of a crashed process nobody knows what it acknowledged; of the others no two were the first.
  const firsts = (await Promise.all(survivors.map((agent) => agent.taken())))
    .flat()
    .filter(({ first }) => first);
  tellFigure(
    t,
    `${processes} processes on ${sessions} sessions of one store, ${victims.length} of them killed meanwhile: ` +
      `${tasks.length} tasks ended and acknowledged in ${(ms / 1000).toFixed(1)} s, ` +
      `${firsts.length} of them first by the ${survivors.length} that lived`,
  );
  assert.deepEqual(
    wrong.map(({ taskId, status, statusReason, exitCode }) => ({ taskId, status, statusReason, exitCode })),
    [],
  );
  assert.equal(new Set(firsts.map(({ taskId }) => taskId)).size, firsts.length);
  assert.ok(tasks.length >= answered, `${tasks.length} tasks of ${answered} that were answered`);
});

/** Opens sessions that each spawn some tasks and take their completions; whether each was told of its own. */
async function openSessions(
  agent: Agent,
  prefix: string,
  sessions: number,
  perSession: number,
): Promise<boolean[]> {
  return await agent.run(
    async ({ store, kept }, { prefix, sessions, perSession }) => {
      const open = async (n: number) => {
        const session = await store.session(`${prefix} ${n}`);
        const spawned: string[] = [];
        const told: string[] = [];
        const telling = (async () => {
          for await (const { taskId, exitCode, ack } of session.completions()) {
            if (await ack()) told.push(`${taskId} ${exitCode}`);
            if (told.length === perSession) break;
          }
        })();
        for (let k = 0; k < perSession; k += 1) {
          const task = await session.spawn(`exit ${n % 7}`, { shell: '/bin/sh' });
          spawned.push(`${task.id} ${n % 7}`);
        }
        await telling;
        return { session, isRight: spawned.sort().join() === told.sort().join() };
      };
      const all = await Promise.all(Array.from({ length: sessions }, (_, n) => open(n)));
      kept.sessions = all.map(({ session }) => session);
      return all.map(({ isRight }) => isRight);
    },
    { prefix, sessions, perSession },
  );
}

async function closeSessions(agent: Agent): Promise<void> {
  await agent.run(async ({ kept }) => {
    for (const session of kept.sessions as { close(): Promise<void> }[]) await session.close();
    kept.sessions = undefined;
  });
}
