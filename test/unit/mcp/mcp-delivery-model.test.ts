import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FakeAgent, Readings } from '../../support/delivery/agent.ts';
import { FakeStore } from '../../support/delivery/ends.ts';

// The classes that tell ends, over a store that is made up, with agents whose answers are lost, whose cancels cross, that give
// up in silence, and that die. Time passes only when a step says so.

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('call'), agent: fc.nat(3), many: fc.constantFrom(1, 1, 1, 2) }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constantFrom('answer', 'read', 'read one', 'call beside'),
      agent: fc.nat(3),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('spawn'), agent: fc.nat(3) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('end'), task: fc.nat(9) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom('wait', 'poll'), agent: fc.nat(3), task: fc.nat(9) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('pass'),
      ms: fc.constantFrom(500, 3_000, 6_000, 61_000, 700_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('sleep'), ms: fc.constantFrom(6_000, 3_600_000) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('silent', 'cancel', 'late cancel', 'cancels arrive', 'lose'),
      agent: fc.nat(3),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom('kill', 'kill server', 'start'), agent: fc.nat(3) }),
  },
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

interface Scene {
  readonly store: FakeStore;
  readonly readings: Readings;
  readonly agents: readonly FakeAgent[];
}

function makeScene(): Scene {
  const [store, readings] = [new FakeStore(), new Readings()];
  const agents = [
    new FakeAgent(store, readings, { party: null, way: 'pipe' }),
    new FakeAgent(store, readings, { party: null, way: 'pipe' }),
    new FakeAgent(store, readings, { party: 'conversation', way: 'pipe' }),
    new FakeAgent(store, readings, { party: 'http session', way: 'http' }),
  ];
  return { store, readings, agents };
}

async function perform({ store, agents }: Scene, did: Step): Promise<void> {
  const agent = 'agent' in did ? (agents[did.agent] as FakeAgent) : null;
  const task = 'task' in did ? store.tasks[did.task % Math.max(1, store.tasks.length)] : undefined;
  switch (did.kind) {
    case 'call':
      return agent?.call('many' in did ? did.many : 1);
    case 'call beside':
      return agent?.callBeside();
    case 'wait':
      return task && agent?.call(1, task.taskId);
    case 'poll':
      return task && agent?.poll(task.taskId);
    case 'answer':
      return agent?.answer();
    case 'read':
      return agent?.read();
    case 'read one':
      return agent?.read(1);
    case 'spawn':
      return void agent?.spawn();
    case 'end':
      if (task !== undefined) task.endedAt ??= store.epochMs;
      return;
    case 'pass':
      store.epochMs += 'ms' in did ? did.ms : 0;
      store.monoMs += 'ms' in did ? did.ms : 0;
      return;
    case 'sleep':
      store.epochMs += 'ms' in did ? did.ms : 0;
      return;
    case 'silent':
    case 'cancel':
    case 'late cancel':
      return agent?.giveUp(did.kind);
    case 'cancels arrive':
      return agent?.deliverCancels();
    case 'lose':
      return agent?.lose();
    case 'kill':
      return agent?.kill();
    case 'kill server':
      return agent?.killServer();
    case 'start':
      return await agent?.start();
  }
}

/** Everything calms down: each agent that lives makes some calls, whose answers are prompt and reach it. */
async function calm({ store, agents }: Scene): Promise<void> {
  for (const agent of agents.filter(({ lives }) => lives)) {
    await agent.start();
    agent.deliverCancels();
    for (let n = 0; n < 8; n += 1) {
      for (let open = 0; open < 4; open += 1) agent.answer();
      agent.read();
      store.epochMs += 61_000;
      store.monoMs += 61_000;
      agent.call(1);
    }
    agent.answer();
    agent.read();
  }
}

function check({ store, readings, agents }: Scene): void {
  assert.deepEqual(readings.faults, []);
  for (const { taskId, start, endedAt, delivered } of store.tasks) {
    if (endedAt === null) continue;
    if (delivered) assert.ok(readings.read.has(taskId), `${taskId} is acknowledged, and nobody has read it`);
    const { starter } = start;
    const mine = agents.find(({ pid, way }) => way === 'pipe' && pid !== null && pid === starter?.client.pid);
    const wasReminded = (mine?.reminders.get(taskId) ?? 0) >= 3;
    if (mine !== undefined && !wasReminded) assert.ok(mine.knows.has(taskId), `${taskId} was not told`);
  }
  for (const { reminders } of agents)
    for (const [taskId, count] of reminders) assert.ok(count <= 4, `${taskId}: ${count} reminders`);
}

const runs = Number(process.env.OUTLIVE_DELIVERY_RUNS ?? 400);

test('no end is lost, told to a stranger, or told twice without a note, whatever happens to answers and agents', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 120 }), async (steps) => {
      const scene = makeScene();
      for (const agent of scene.agents) await agent.start();
      for (const did of steps) {
        await perform(scene, did);
        await Promise.resolve();
      }
      await calm(scene);
      check(scene);
    }),
    { numRuns: runs },
  );
});
