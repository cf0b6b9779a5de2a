import { test } from 'node:test';
import { compareWithOldStore, whyNoStrace } from '../support/old-store.ts';

const [days, tasksADay, sessions] = [365, 300, 2_000];

test('a store that an agent has used for a year answers as a new one does, at no more calls to the system', {
  skip: whyNoStrace(),
}, async (t) => {
  const tasks = days * tasksADay;
  await compareWithOldStore(t, { sessions, tasks, days, largest: { sessionId: 'mine', tasks: 20_000 } });
});
