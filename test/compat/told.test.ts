import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseFact } from '../../src/tasklog/codec.ts';
import { by, fateOf, folded } from './sample.ts';

// Frozen as the other samples are: files that were written must load for ever.

test('a task loads with who started it, and who was told of its end', () => {
  const { spec, claims, claimed, told } = folded('told.jsonl');
  assert.deepEqual(spec?.starter, {
    party: 'conversation-42',
    caller: 'agent-7',
    client: { pid: 11_950, start: 438_101 },
    cwd: '/home/dev/project',
  });
  assert.deepEqual(claimed, ['c1', 'c2', 'c3']);
  assert.deepEqual(claims, [
    { fact: 'claim', id: 'c2', by, party: 'conversation-42' },
    { fact: 'claim', id: 'c3', by },
  ]);
  assert.deepEqual(told, [{ fact: 'told', id: 'c2', at: 1_795_848_970_100 }]);
  for (const alive of ['yes', 'no'] as const) assert.equal(fateOf('told.jsonl', alive), '30adc93a36e6');
});

test('a starter of an unknown form is ignored: any client of the session is told of the end', () => {
  const line = '{"fact":"spec","v":2,"command":"x","by":{"pid":2},"starter":';
  for (const starter of ['"agent"', '7', '[]', '{}', '{"client":{"pid":0}}', '{"party":"a"}', 'null']) {
    const fact = parseFact(`${line}${starter}}`);
    assert.ok(fact?.fact === 'spec' && fact.starter === undefined, starter);
  }
});
