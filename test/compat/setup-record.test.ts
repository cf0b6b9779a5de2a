import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRecord } from '../../src/cli/setup/record.ts';
import { textOf } from './sample.ts';

// Frozen as the other samples are: a file that an earlier version has set up can be given back for ever.

test('a record of what setup has put into a file loads', () => {
  const text = textOf('setup-record.sample');
  const record = parseRecord(text, '/home/dev/.claude.json');
  assert.equal(record?.v, 1);
  assert.deepEqual(record?.inserted[1], { at: 10, text: ',' });
  assert.deepEqual(record?.pieces[0]?.path, ['mcpServers', 'outlive']);
  assert.deepEqual(record?.folders, ['/home/dev/.config']);
  assert.equal(parseRecord(text, '/home/dev/other.json'), null);
});

test('text that is no record, or a record of a later version, is ignored', () => {
  const text = textOf('setup-record.sample');
  const damaged = [
    '',
    '{',
    '[]',
    'null',
    text.replace('"v":1', '"v":2'),
    text.replace('"at":10', '"at":"10"'),
  ];
  for (const one of [...damaged, text.replace('"after":"9b3a1c0d"', '"after":7')])
    assert.equal(parseRecord(one, '/home/dev/.claude.json'), null, one);
});
