import { test } from 'node:test';
import { compareWithOldStore, whyNoStrace } from '../support/old-store.ts';

const [days, tasksADay, sessions] = [365, 300, 2_000];

test('a store after a year of use answers like a new one, with no more system calls', {
  skip: whyNoStrace(),
}, async (t) => {
  const tasks = days * tasksADay;
  await compareWithOldStore(t, { sessions, tasks, days, largest: { sessionId: 'mine', tasks: 20_000 } });
});
