import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Told } from '../../../src/tools/index.ts';
import { ToldHistory } from '../../../src/tools/told-history.ts';

interface Message {
  readonly role: 'user' | 'assistant' | 'tool';
  readonly text: string;
}

const user = (text: string): Message => ({ role: 'user', text });
const model = (text: string): Message => ({ role: 'assistant', text });
const tool = (text: string): Message => ({ role: 'tool', text });
const nothing = async (): Promise<null> => null;

/** Something to tell, and what becomes of it. */
function telling(text: string): { told: Told; log: string[] } {
  const log: string[] = [];
  const told = {
    ...{ text, isError: false, ends: [text] },
    get isOver() {
      return log.length > 0;
    },
    ack: async () => void log.push('ack'),
    giveBack: () => void log.push('back'),
  };
  return { told, log };
}

function history(): ToldHistory<Message> {
  return new ToldHistory({ write: user, isModels: ({ role }) => role === 'assistant' });
}

test('news stays in its place, whether or not the host keeps it', async () => {
  for (const keeps of [false, true]) {
    const told = history();
    const { told: end, log } = telling('an end');
    let messages = [user('go'), model('call'), tool('result')];
    const sent = await told.sending(messages, async () => end);
    assert.deepEqual(
      sent.map(({ text }) => text),
      ['go', 'call', 'result', 'an end'],
    );
    if (keeps) messages = sent;
    messages = [...messages, model('call 2'), tool('result 2')];
    assert.deepEqual(log, []);
    const next = await told.sending(messages, nothing);
    assert.deepEqual(
      next.map(({ text }) => text),
      ['go', 'call', 'result', 'an end', 'call 2', 'result 2'],
    );
    assert.deepEqual(log, ['ack']);
    const saved = await told.saved([...messages, model('done')]);
    assert.deepEqual(
      saved.map(({ text }) => text),
      [...next.map(({ text }) => text), 'done'],
    );
    const more = [...saved, user('go on')];
    assert.deepEqual(await told.sending(more, nothing), more);
  }
});

test('news in the answer of a tool is acknowledged when the model has answered', async () => {
  const told = history();
  const { told: end, log } = telling('the command failed');
  const text = told.answered(end);
  const messages = [user('go'), model('call'), tool(text)];
  await told.sending(messages, nothing);
  assert.deepEqual(log, []);
  await told.saved([...messages, model('it failed')]);
  assert.deepEqual(log, ['ack']);
});

test('news that is no longer in any message is given back', async () => {
  const told = history();
  const { told: end, log } = telling('the command failed');
  told.answered(end);
  // The call of the host failed, and its messages were not kept.
  await told.sending([user('go'), model('something else')], nothing);
  assert.deepEqual(log, ['back']);
});

test('a failed request is no proof, and the news is in the next one', async () => {
  const told = history();
  const { told: end, log } = telling('an end');
  await told.sending([user('go')], async () => end);
  const again = await told.sending([user('go')], nothing);
  assert.deepEqual(
    again.map(({ text }) => text),
    ['go', 'an end'],
  );
  assert.deepEqual(log, []);
  await told.saved([user('go'), model('thanks')]);
  assert.deepEqual(log, ['ack']);
});

test('an end that the host drops after it was saved is given back', async () => {
  const told = history();
  const { told: end, log } = telling('an end');
  await told.sending([user('go')], async () => end);
  await told.saved([user('go')]);
  assert.deepEqual(log, []);
  await told.sending([user('go')], nothing);
  assert.deepEqual(log, ['back']);
});
