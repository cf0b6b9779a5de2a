import { test } from 'node:test';
import { liveTogether } from '../support/two-lives.ts';
import { World } from '../support/world.ts';

const pairs = [
  ['spawn', 'ack'],
  ['stop', 'stop'],
  ['queue', 'spawn'],
  ['cut', 'cut'],
  ['ack', 'prune'],
] as const;

for (const [one, other] of pairs) {
  test(`two processes on one session, "${one}" and "${other}", that both die at some call lose nothing together`, async () => {
    await using world = new World();
    const someCall = (): number => 1 + Math.floor(Math.random() * 50);
    await liveTogether(world, [
      [one, someCall()],
      [other, someCall()],
    ]);
  });
}
