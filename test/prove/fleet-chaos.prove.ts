import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Bus } from '../../src/fleet/bus/connect.ts';
import { streams } from '../../src/fleet/wire/names.ts';
import { Chance } from '../support/chance.ts';
import { Chaos } from '../support/fleet/chaos.ts';
import { Dispatching } from '../support/fleet/dispatching.ts';
import { falselyUnknown, judge, type SaidUnknown, startsOf } from '../support/fleet/judge.ts';
import { ProcessFleet } from '../support/fleet/process-fleet.ts';
import { budgetSeconds } from '../support/load/budget.ts';
import { tellFigure } from '../support/load/figures.ts';
import { withoutNats } from '../support/nats.ts';
import { waitFor } from '../support/world.ts';

const leaseMs = 6_000;
const lostMs = leaseMs * 1.3;
const [hosts, slots] = [4, 8];

/** All of them take about twenty minutes. With less time there are fewer, and what is not dispatched in half a minute is left out. */
const isWhole = budgetSeconds >= 1_800;
const wanted = budgetSeconds >= 60 ? 10_000 : 300;
// The rest is for the ends.
const dispatchMs = Math.max(30, budgetSeconds * 0.75) * 1_000;

test(`${wanted} dispatches while servers, coordinators and hosts are killed and stopped: none starts twice, and no end is lost`, {
  skip: withoutNats,
}, async (t) => {
  const chance = new Chance(t);
  await using fleet = await ProcessFleet.start({
    servers: 3,
    coordinators: 3,
    leaseMs,
    heartbeatMs: 1_000,
  });
  const names = Array.from({ length: hosts }, (_, at) => `h${at + 1}`);
  for (const name of names) await fleet.host(name, slots);
  const bus = await fleet.bus();
  const dispatching = new Dispatching([await fleet.client(), await fleet.client()], names, chance);
  const chaos = new Chaos(fleet, bus, chance, lostMs);
  const begin = performance.now();
  const consuming = dispatching.consume();
  chaos.start();
  await dispatching.run(wanted, begin + dispatchMs);
  const dispatchedMs = performance.now() - begin;
  await chaos.stop();
  // Everybody is back: now each end has to come.
  const open = (): string[] => [...dispatching.dispatched.keys()].filter((key) => !dispatching.told.has(key));
  await waitFor(() => open().length === 0, 'all ends', 180_000).catch(() => undefined);
  const isDelivered = async (): Promise<boolean> =>
    (await dispatching.remembered()).every(({ state }) => state === 'delivered');
  if (open().length === 0) await waitFor(isDelivered, 'all ends to be acknowledged', 60_000);
  dispatching.stop();
  await consuming;
  const { wrong, ended, revoked, again } = judge(startsOf(fleet), dispatching);
  const unknown = await unknownIn(bus);
  const never = falselyUnknown(fleet, unknown, lostMs);
  const faults = Object.entries(chaos.done).map(([what, count]) => `${count} ${what}`);
  tellFigure(
    t,
    `${dispatching.dispatched.size} dispatches in ${Math.round(dispatchedMs / 1000)} s on ${hosts} hosts, 3 coordinators and ` +
      `3 servers, during ${faults.join(', ')}: ${ended} ended, ${revoked} were revoked and had not started, ${again} of those with ` +
      `redispatch started again, ${unknown.length} were unknown for a while; ${wrong.length} violations`,
  );
  t.diagnostic(`questions without success: ${JSON.stringify(dispatching.refusals)}`);
  assert.deepEqual(
    fleet.parts.flatMap(({ crashes }) => crashes),
    [],
  );
  assert.deepEqual(wrong.slice(0, 20), []);
  assert.deepEqual(never.slice(0, 20), [], 'unknown, and its host was there');
  assert.ok(dispatching.dispatched.size > 0, 'nothing was dispatched');
  if (isWhole) assert.equal(dispatching.dispatched.size, wanted, 'dispatches');
});

/** What the audit says was unknown. */
async function unknownIn({ nats, connection }: Bus): Promise<SaidUnknown[]> {
  const found: SaidUnknown[] = [];
  const manager = await nats.jetstream.jetstreamManager(connection);
  const { state } = await manager.streams.info(streams.audit);
  if (state.messages === 0) return found;
  const consumer = await nats.jetstream.jetstream(connection).consumers.get(streams.audit);
  const messages = await consumer.consume();
  for await (const message of messages) {
    const entry = message.json<{ what: string; host: string; task: string; at: number }>();
    if (entry.what === 'unknown') found.push({ host: entry.host, task: entry.task, at: entry.at });
    if (message.seq >= state.last_seq) break;
  }
  return found;
}
