import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseFact } from '../../src/tasklog/codec.ts';
import { keyOfName, keyOfPlace, keysOf } from '../../src/tasklog/keys.ts';
import { fateOf, folded } from './sample.ts';

// Frozen as the other samples are: files that were written must load for ever.

test('a task that replaces another one loads with the names of its variables and with the keys that it claims', () => {
  const { spec, stop } = folded('replaced.jsonl');
  assert.deepEqual([spec?.setNames, spec?.unsetNames, spec?.unbuffered], [['PORT', 'ŝlosilo'], ['CI'], true]);
  assert.equal(spec?.replaces, 'bgb-32c62d5d32c6.fead4f513194286c');
  assert.deepEqual(keysOf(spec), ['name\0dev', 'place\0bgb-32c62d5d32c6.fead4f513194286c']);
  assert.equal(stop?.cause, 'replaced');
  // It was stopped before it had started.
  assert.equal(fateOf('replaced.jsonl', 'no'), 'killed replaced null null');
});

test('a task that took the name of a running task loads with the id of that task, and does not claim its place', () => {
  const { spec } = folded('replaced-by-name.jsonl');
  assert.deepEqual([spec?.inPlaceOf, spec?.replaces], ['bgb-32c62d5d32c6', undefined]);
  assert.deepEqual(keysOf(spec ?? {}), ['name\0dev']);
});

test('the keys that a task claims are written as before, and no key of a caller can be a name or a place', () => {
  assert.deepEqual([keyOfName('dev'), keyOfPlace('c')], ['name\0dev', 'place\0c']);
  assert.deepEqual(keysOf({ key: 'k', name: null }), ['k']);
  const line =
    '{"fact":"spec","v":2,"command":"x","by":{"pid":2},"setNames":[1,"A",null],"unbuffered":"yes","replaces":7,"inPlaceOf":[]}';
  const fact = parseFact(line);
  assert.ok(fact?.fact === 'spec');
  const { setNames, unbuffered, replaces, inPlaceOf } = fact;
  assert.deepEqual([setNames, unbuffered, replaces, inPlaceOf], [['A'], undefined, undefined, undefined]);
});
