import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OutliveError } from '../../../src/errors/error.ts';
import { Fields, wireFields } from '../../../src/fleet/wire/fields.ts';

const secret = 'hunter2';
const refuse = (said: string) => new OutliveError('FLEET_FORGED', said);

test('an invalid field is refused by name, without its value', () => {
  const fields = () => wireFields({ a: secret, n: 1.5, deep: { l: [secret], r: { k: 1 } } }, 'a message');
  const refused: [string, () => unknown][] = [
    ['a whole number from 0 to 9007199254740991 as a; found another text', () => fields().whole('a')],
    ['a text of at most 3 characters as a; found another text', () => fields().text('a', 3)],
    ['a text of the right form as a; found another text', () => fields().formed('a', /^x$/)],
    ['one of x, y as a; found another text', () => fields().oneOf('a', ['x', 'y'])],
    [
      'a whole number from 0 to 2 as n; found a value of the type number',
      () => fields().whole('n', { most: 2 }),
    ],
    ['a text of at most 1024 characters as b; found none', () => fields().text('b')],
    [
      'texts of at most 3 characters as l; found another text in deep',
      () => fields().inner('deep').texts('l', 1, 3),
    ],
    ['a list of at most 0 as l; found a list in deep', () => fields().inner('deep').texts('l', 0)],
    [
      'a text of at most 1024 characters as k; found a value of the type number in r in deep',
      () => fields().inner('deep').record('r', 1),
    ],
    ['at most 0 fields in r; found more in deep', () => fields().inner('deep').record('r', 0)],
    ['no field "n"; found one', () => wireFields({ n: 1 }, 'a message').end()],
    ['an object; found a value of the type string', () => fields().inner('a')],
    ['an object; found a list', () => wireFields([secret], 'a message')],
    ['JSON; found 7 characters that are not JSON', () => Fields.of(secret, refuse)],
  ];
  for (const [said, read] of refused)
    assert.throws(read, (error: Error & { code?: string }) => {
      assert.equal(error.code, 'FLEET_FORGED');
      assert.ok(error.message.includes(`expected ${said}`), error.message);
      assert.ok(!error.message.includes(secret), error.message);
      return true;
    });
});

test('only own fields of an object count, and null is a value only where it is allowed', () => {
  const fields = Fields.of('{"__proto__": "x", "no": null}', refuse);
  assert.throws(() => fields.text('toString'), { code: 'FLEET_FORGED' });
  assert.throws(() => fields.text('no'), { code: 'FLEET_FORGED' });
  assert.equal(fields.textOrNull('no'), null);
  assert.throws(() => fields.textOrNull('none'), { code: 'FLEET_FORGED' });
  assert.equal(fields.text('__proto__'), 'x');
  fields.end();
});
