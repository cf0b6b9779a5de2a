import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OutliveError } from '../../../src/errors/error.ts';
import { Attempt, Attempts } from '../../../src/fleet/agent/attempts.ts';
import { endWithout } from '../../../src/fleet/agent/end-of.ts';
import { Ends } from '../../../src/fleet/agent/ends.ts';
import type { Parts } from '../../../src/fleet/agent/parts.ts';
import { anAssignment } from '../../support/fleet/samples.ts';

test('an end that cannot be published does not delay later ones', async () => {
  const work: Promise<unknown>[] = [];
  const reported: unknown[] = [];
  const asked: string[] = [];
  const parts = {
    host: 'h1',
    attempts: new Attempts(),
    isOpen: () => true,
    report: (_doing: string, error: unknown) => reported.push(error),
    inBackground: (_doing: string, one: Promise<unknown>) => work.push(one),
    connection: {
      write: async ({ body }: { body: { task: string } }) => {
        asked.push(body.task);
        throw new OutliveError('READ_FAILED', 'a disk that is full');
      },
    },
  } as unknown as Parts;
  const ends = new Ends(parts);
  const tasks = Array.from({ length: 20 }, (_, at) => `bgb-0000000000${10 + at}`);
  for (const task of tasks) {
    const attempt = parts.attempts.add(new Attempt({ task, attempt: 1 }, anAssignment({ task })));
    attempt.end = endWithout('lost');
    // What is stored of it is known.
    attempt.seq = 1;
    ends.publish(attempt);
  }
  await Promise.all(work);
  assert.deepEqual([asked.sort(), reported.length], [tasks, tasks.length]);
});
