import { test } from 'node:test';
import { compareWithOldStore, whyNoStrace } from '../../support/old-store.ts';

test('in a store with much that is old verbs answer as in a new one, at no more calls to the system', {
  skip: whyNoStrace(),
}, async (t) => {
  await compareWithOldStore(t, {
    sessions: 60,
    tasks: 300,
    days: 365,
    largest: { sessionId: 'mine', tasks: 300 },
  });
});
