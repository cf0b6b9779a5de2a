import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { merged } from '../../../src/ui/remote-feed.ts';

/** Says something again and again, and tells when it has ended. */
async function* talking(word: string, ended: string[]): AsyncGenerator<string, void, undefined> {
  try {
    for (;;) {
      await turn();
      yield word;
    }
  } finally {
    ended.push(word);
  }
}

/** Says one word, and fails. */
async function* failing(): AsyncGenerator<string, void, undefined> {
  yield 'one';
  await turn();
  throw new Error('the watch failed');
}

test('feeds with data for a page end when the page leaves', async () => {
  const ended: string[] = [];
  for await (const _word of merged(talking('one', ended), talking('other', ended))) {
    // Meanwhile both have their next word ready.
    for (let at = 0; at < 5; at += 1) await turn();
    break;
  }
  for (let at = 0; at < 5; at += 1) await turn();
  assert.deepEqual(ended.sort(), ['one', 'other']);
});

test('a feed that fails while its page reads slowly gives that page the error, and does not crash the process', async () => {
  const ended: string[] = [];
  const heard: string[] = [];
  const listening = async (): Promise<void> => {
    for await (const word of merged(failing(), talking('other', ended))) {
      heard.push(word);
      for (let at = 0; at < 5; at += 1) await turn();
    }
  };
  await assert.rejects(listening(), /the watch failed/);
  for (let at = 0; at < 5; at += 1) await turn();
  assert.deepEqual([heard[0], ended], ['one', ['other']]);
});
