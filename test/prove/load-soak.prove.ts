import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Agent } from '../support/agents.ts';
import { budgetSeconds, proveSeed } from '../support/load/budget.ts';
import { plotSamples, tellFigure, tellSeed } from '../support/load/figures.ts';
import { Gauge, heapGrowth } from '../support/load/gauge.ts';
import { useForAMinute } from '../support/load/use.ts';
import { World } from '../support/world.ts';

/** Calls that an agent makes in a minute of use, and how many of them at the same time. */
const [calls, atATime] = [24, 4];

test('an hour of use, compressed into a minute, does not make the supervisor grow', async (t) => {
  tellSeed(t);
  await using world = new World();
  await using agent = await Agent.start(world.dir, { node: ['--expose-gc'] });
  const counts: Record<string, number> = {};
  const wrong: string[] = [];
  let done = 0;
  const use = async (minute: number): Promise<void> => {
    const used = await agent.run(useForAMinute, { seed: proveSeed + minute, calls, atATime });
    wrong.push(...used.wrong.map((what) => `minute ${minute}: ${what}`));
    for (const [name, count] of Object.entries(used.counts)) counts[name] = (counts[name] ?? 0) + count;
    done += calls;
  };
  // Every kind of call has been made before anything is measured.
  for (let minute = -5; minute < 0; minute += 1) await use(minute);
  const gauge = new Gauge(agent, () => done);
  await gauge.start(1_000);
  const begin = performance.now();
  let minutes = 0;
  while (minutes < budgetSeconds && performance.now() - begin < budgetSeconds * 1500) {
    await use(minutes);
    if (minutes % 10 === 9) wrong.push(...(await crashOf(world, agent)));
    minutes += 1;
  }
  await gauge.stop();
  const [first, last] = [gauge.samples[0], gauge.samples.at(-1)];
  assert.ok(first && last);
  const grown = heapGrowth(gauge.samples.slice(gauge.samples.length / 2)) / 1024;
  const cpu = gauge.samples.reduce((sum, { cpuPercent }) => sum + cpuPercent, 0) / gauge.samples.length;
  const kinds = Object.entries(counts).map(([name, count]) => `${count} ${name}`);
  tellFigure(
    t,
    `${minutes} minutes of use in ${Math.round((performance.now() - begin) / 1000)} s (${kinds.join(', ')}): heap ` +
      `${grown.toFixed(0)} KiB more at the end than after half of it, ${last.heapMb.toFixed(1)} MB; descriptors ` +
      `${first.descriptors} before, ${last.descriptors} after; ${cpu.toFixed(0)} % of a core meanwhile`,
  );
  plotSamples('soak', `${minutes} minutes of an agent's use, a minute in a second`, gauge.samples);
  assert.deepEqual(wrong, []);
  assert.ok(grown < 700, `the heap grew by ${grown.toFixed(0)} KiB in the second half`);
  assert.ok(last.descriptors <= first.descriptors, `${last.descriptors} descriptors`);
  assert.deepEqual(world.commandPids(), [], 'no process of any task is left');
});

/** Another agent dies with tasks that run; what they came to is told here. What was wrong. */
async function crashOf(world: World, agent: Agent): Promise<string[]> {
  await using other = await Agent.start(world.dir, { sessionId: 'crashing' });
  const taskIds = await other.run(async ({ session }) => {
    const tasks = [0, 1, 2].map((code) => session.spawn(`sleep 0.2; exit ${code}`));
    return (await Promise.all(tasks)).map(({ id }) => id);
  });
  await other.crash();
  const told = await agent.run(async ({ store }, count) => {
    const session = await store.session('crashing');
    const ends: string[] = [];
    for await (const { taskId, exitCode, ack } of session.completions()) {
      if (await ack()) ends.push(`${taskId} ${exitCode}`);
      if (ends.length === count) break;
    }
    await session.close();
    return ends;
  }, taskIds.length);
  const expected = taskIds.map((taskId, code) => `${taskId} ${code}`);
  return told.sort().join() === expected.sort().join() ? [] : [`after a crash: ${told.join()}`];
}
