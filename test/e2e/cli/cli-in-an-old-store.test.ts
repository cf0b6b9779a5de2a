import { test } from 'node:test';
import { compareWithOldStore, whyNoStrace } from '../../support/old-store.ts';

test('in a store with much old data verbs answer as in a new one, with no more system calls', {
  skip: whyNoStrace(),
}, async (t) => {
  await compareWithOldStore(t, {
    sessions: 60,
    tasks: 300,
    days: 365,
    largest: { sessionId: 'mine', tasks: 300 },
  });
});
