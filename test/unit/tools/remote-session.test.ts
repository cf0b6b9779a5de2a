import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OutliveError } from '../../../src/errors/error.ts';
import type { RemoteTask } from '../../../src/fleet/wire/operations.ts';
import type { AgentFleet } from '../../../src/tools/fleet/agent-fleet.ts';
import type { FleetLink } from '../../../src/tools/fleet/fleet-link.ts';
import { RemoteSession, referenceOf } from '../../../src/tools/fleet/remote-session.ts';
import { sleep } from '../../../src/util/wait.ts';

const end = { host: 'h1', task: 'bgb-000000000001', attempt: 1, state: 'ended' } as unknown as RemoteTask;

/** A session of a fleet whose coordinator answers so; and how often it was asked. */
function sessionOf(fleet: Partial<AgentFleet>): { session: RemoteSession; asked: () => number } {
  let count = 0;
  const link = {
    fleet: async () => {
      count += 1;
      await sleep(1);
      return fleet as AgentFleet;
    },
  } as FleetLink;
  return { session: new RemoteSession(link, 's1'), asked: () => count };
}

test('after an unexpected failure the fleet is asked again after a pause', async (t) => {
  t.mock.method(process, 'emitWarning', () => undefined);
  const { session, asked } = sessionOf({
    completions: async () => {
      throw new RangeError('nobody expects it');
    },
  });
  session.look();
  await sleep(300);
  await session.close();
  assert.equal(asked(), 1);
});

test('while an end cannot be acknowledged the fleet is asked only after pauses', async () => {
  const { session, asked } = sessionOf({
    completions: async () => [end],
    acknowledge: async () => {
      throw new OutliveError('FLEET_UNREACHABLE', 'no room');
    },
  });
  session.acknowledge(referenceOf(end), end);
  session.look();
  await sleep(300);
  assert.ok(asked() <= 4, `asked ${asked()} times`);
  await session.close();
});
