import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConsumerNotification } from '@nats-io/jetstream';
import { endWhenSilent } from '../../../src/fleet/coordinator/silence.ts';

test('a consumer that misses three heartbeats in a row is ended, and one that misses two is not', async () => {
  let stops = 0;
  let seen = 0;
  const missed = async (...counts: readonly number[]): Promise<void> =>
    await endWhenSilent({
      stop: () => {
        stops += 1;
      },
      async *status(): AsyncGenerator<ConsumerNotification> {
        for (const count of counts) {
          seen += 1;
          yield { type: 'heartbeats_missed', count };
        }
      },
    });
  await missed(2, 2);
  assert.deepEqual([seen, stops], [2, 0]);
  await missed(2, 3);
  assert.equal(stops, 1);
});
