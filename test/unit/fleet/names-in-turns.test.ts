import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Msg } from '@nats-io/transport-node';
import { Attempt, Attempts } from '../../../src/fleet/agent/attempts.ts';
import { Heartbeats } from '../../../src/fleet/agent/heartbeat.ts';
import { HostLease } from '../../../src/fleet/agent/lease.ts';
import type { Parts } from '../../../src/fleet/agent/parts.ts';
import type { Heartbeat } from '../../../src/fleet/wire/messages.ts';
import { readHeartbeat } from '../../../src/fleet/wire/read-heartbeat.ts';

/** The heartbeats of a host on which so many attempts are in a phase, to a coordinator that does not answer. */
async function beatsOf(phase: 'running' | 'told', attempts: number, beats: number): Promise<Heartbeat[]> {
  const asked: unknown[] = [];
  let work: Promise<unknown> = Promise.resolve();
  const parts = {
    ...{ host: 'h1', epoch: 'e1', slots: 10_000, attempts: new Attempts(), lease: new HostLease() },
    ...{
      isOpen: () => true,
      era: () => null,
      report: (_doing: string, error: unknown) => assert.fail(`${error}`),
    },
    inBackground: (_doing: string, one: Promise<unknown>) => {
      work = Promise.all([work, one]);
    },
    connection: {
      isConnected: true,
      ask: async (_subject: string, body: unknown): Promise<Msg> => {
        asked.push(JSON.parse(JSON.stringify(body)));
        throw Object.assign(new Error('nobody'), { name: 'TimeoutError' });
      },
    },
  } as unknown as Parts;
  for (let at = 0; at < attempts; at += 1)
    parts.attempts.add(new Attempt({ task: taskAt(at), attempt: 1 }, null)).phase = phase;
  const never = (): never => assert.fail('nobody has answered');
  const taker = { clock: never, era: never, news: never, all: never, done: never };
  const heartbeats = new Heartbeats(
    parts,
    { version: '0.1.0', labels: {} },
    { issuers: new Set(), everyMs: 1_000, taker: { ...taker, beat: () => undefined } },
  );
  for (let at = 0; at < beats; at += 1) {
    heartbeats.beat();
    await work;
  }
  return asked.map((body) => readHeartbeat(body));
}

function taskAt(at: number): string {
  return `bgb-${String(at).padStart(12, '0')}`;
}

for (const [phase, field] of [
  ['running', 'holds'],
  ['told', 'owes'],
] as const)
  test(`a coordinator accepts each heartbeat of a host with 2,500 attempts, and hears its ${field} in turns`, async () => {
    const said = await beatsOf(phase, 2_500, 3);
    const named = said.map((heartbeat) => (heartbeat[field] ?? []).map(({ task }) => task));
    assert.deepEqual(
      named.map(({ length }) => length),
      [1_000, 1_000, 1_000],
    );
    assert.equal(new Set(named.flat()).size, 2_500);
  });

test('a host whose attempts fit in one heartbeat sends them all each time', async () => {
  const said = await beatsOf('running', 1_000, 2);
  for (const { holds } of said)
    assert.deepEqual(
      holds.map(({ task }) => task),
      Array.from({ length: 1_000 }, (_, at) => taskAt(at)),
    );
});
