import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Fleet } from '../../src/fleet/client/fleet.ts';
import { Chance } from '../support/chance.ts';
import { Dispatching } from '../support/fleet/dispatching.ts';
import { judge, startsOf } from '../support/fleet/judge.ts';
import type { Part } from '../support/fleet/part.ts';
import { ProcessFleet } from '../support/fleet/process-fleet.ts';
import { budgetSeconds } from '../support/load/budget.ts';
import { tellFigure } from '../support/load/figures.ts';
import { descriptorsOf, memoryMb } from '../support/load/gauge.ts';
import { withoutNats } from '../support/nats.ts';
import { waitFor } from '../support/world.ts';

/** Ten minutes, unless asked otherwise. */
const soakMs = Math.min(600, budgetSeconds) * 1_000;

/** What may be left of each dispatch in the memory of a coordinator, which remembers it for seven days; and what a process may grow by beside. */
const mostKiBEach = 16;
const mostMb = 40;

test('while machines join and leave and tasks come and go, no process grows', {
  skip: withoutNats,
}, async (t) => {
  await using fleet = await ProcessFleet.start({
    servers: 1,
    coordinators: 1,
    leaseMs: 30_000,
    heartbeatMs: 1_000,
  });
  const steady = ['h1', 'h2'];
  for (const name of steady) await fleet.host(name, 8);
  const client = await fleet.client();
  const dispatching = new Dispatching([client, await fleet.client()], steady, new Chance(t));
  const begin = performance.now();
  const consuming = dispatching.consume();
  const dispatched = dispatching.run(Number.POSITIVE_INFINITY, begin + soakMs);
  const measured = [...fleet.coordinators, ...fleet.servers, ...fleet.hosts.map(({ agent }) => agent)];
  let joined = 0;
  let [half, atHalf] = [look(measured), 0];
  do {
    joined += 1;
    await comeAndGo(fleet, client, `j${joined}`);
    if (performance.now() - begin < soakMs / 2) [half, atHalf] = [look(measured), dispatching.told.size];
  } while (performance.now() - begin < soakMs);
  await dispatched;
  await waitFor(() => dispatching.told.size === dispatching.dispatched.size, 'all ends', 120_000);
  dispatching.stop();
  await consuming;
  const seconds = (performance.now() - begin) / 1_000;
  const { wrong, ended, revoked } = judge(startsOf(fleet), dispatching);
  const last = look(measured);
  const count = ended + revoked;
  const grown = last.map(({ name, mb }, at) => `${name} ${(mb - (half[at]?.mb ?? 0)).toFixed(1)}`);
  tellFigure(
    t,
    `${count} dispatches in ${seconds.toFixed(0)} s (${(count / seconds).toFixed(1)}/s), while ${joined} machines joined and ` +
      `left: MB of memory more than after half of the time: ${grown.join(', ')}`,
  );
  assert.deepEqual(
    fleet.parts.flatMap(({ crashes }) => crashes),
    [],
  );
  assert.deepEqual(wrong.slice(0, 20), []);
  assert.ok(ended > 0);
  for (const [at, { name, mb, descriptors }] of last.entries()) {
    const before = half[at];
    assert.ok(before);
    const isCoordinator = name.startsWith('coordinator');
    const allowed = mostMb + (isCoordinator ? ((count - atHalf) * mostKiBEach) / 1_024 : 0);
    assert.ok(mb - before.mb < allowed, `${name} has ${mb - before.mb} MB more`);
    assert.ok(descriptors <= before.descriptors + 40, `${name} has ${descriptors} descriptors`);
  }
});

interface Seen {
  readonly name: string;
  readonly mb: number;
  readonly descriptors: number;
}

function look(parts: readonly Part[]): Seen[] {
  return parts.map(({ name, pid }) => ({ name, mb: memoryMb(pid), descriptors: descriptorsOf(pid) }));
}

/** A machine joins, runs what it gets, is drained, and is removed when nothing runs there. */
async function comeAndGo(fleet: ProcessFleet, client: Fleet, name: string): Promise<void> {
  const { agent } = await fleet.host(name, 4);
  const own = async () => (await client.hosts()).find(({ host }) => host === name);
  await waitFor(async () => (await own())?.state === 'live', `${name} to be live`, 60_000);
  const task = await client.spawn('exit 3', { on: name, session: 'soak' });
  assert.equal((await task.wait())?.end?.exitCode, 3);
  await client.acknowledge('soak', [{ task: task.id, attempt: 1 }]);
  await client.drain(name);
  await waitFor(
    async () => {
      const { waiting = 1, running = 1 } = (await own()) ?? {};
      return waiting + running === 0;
    },
    `${name} to be empty`,
    60_000,
  );
  await client.remove(name);
  await agent.kill();
}
