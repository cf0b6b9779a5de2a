import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkSessionId } from '../../../src/engine/session/validate.ts';

test('any text of 1 to 1024 bytes without NUL can be the id of a session', () => {
  for (const id of ['a', '../../x', '한국어', ' ', '\n', 'é'.repeat(512)])
    assert.equal(checkSessionId(id), id);
  // Half of a surrogate pair has no bytes of its own: two such ids would be one on disk.
  for (const id of ['', 'é'.repeat(513), 'a\0', 7, null, undefined, {}, '\ud800', 'a\udfffb'])
    assert.throws(() => checkSessionId(id), { code: 'INVALID_ARGUMENT' }, JSON.stringify(id));
});
