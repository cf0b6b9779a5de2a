import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyBytes, keyNames } from '../../../src/model/keys.ts';

test('every key that the help names has its own bytes', () => {
  const names = keyNames.filter((name) => !name.endsWith('-X'));
  const bytes = names.map((name) => keyBytes(name));
  assert.ok(!bytes.includes(null));
  assert.equal(new Set(bytes).size, names.length);
  assert.ok(names.length > 25);
});

test('control and alt combine with a character or a key', () => {
  const cases: [name: string, bytes: string | null][] = [
    ['ctrl-c', '\x03'],
    ['Ctrl-C', '\x03'],
    ['ctrl-\\', '\x1c'],
    ['ctrl-[', '\x1b'],
    ['ctrl-space', '\0'],
    ['ctrl-?', '\x7f'],
    ['alt-x', '\x1bx'],
    ['alt-X', '\x1bX'],
    ['alt-up', '\x1b\x1b[A'],
    ['alt-ctrl-c', '\x1b\x03'],
    ['alt-é', '\x1bé'],
    ['ENTER', '\r'],
    ['ctrl-1', null],
    ['ctrl-', null],
    ['alt-', null],
    ['hyper-x', null],
    ['toString', null],
    ['', null],
  ];
  for (const [name, bytes] of cases) assert.equal(keyBytes(name), bytes, name);
});

test('a program that has asked for application keys gets application keys', () => {
  assert.equal(keyBytes('up', true), '\x1bOA');
  assert.equal(keyBytes('home', true), '\x1bOH');
  assert.equal(keyBytes('f5', true), '\x1b[15~');
});
