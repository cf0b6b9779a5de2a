import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseFact, parseTold } from '../../../src/tasklog/codec.ts';
import { exit, proven, spec, started } from './sample-facts.ts';

test('an unknown fact is skipped', () => {
  const strangers = {
    'no JSON': '{"fact":"exit","code":',
    'no object': '["exit"]',
    'a number': '7',
    'an unknown kind': '{"fact":"frobnicate","code":0}',
    'a kind that is no text': '{"fact":["exit"],"code":0}',
    'a kind that cannot become a text': '{"fact":{"toString":1,"valueOf":1},"code":0}',
    'a kind that every object inherits': '{"fact":"constructor"}',
    'another one': '{"fact":"__proto__"}',
    'no kind': '{"code":0}',
  };
  for (const [what, line] of Object.entries(strangers)) assert.equal(parseFact(line), null, what);
});

test('a fact without its required fields is skipped', () => {
  const lines = [
    '{"fact":"spec","v":2,"by":{"pid":5}}',
    '{"fact":"spec","v":2,"command":"true"}',
    '{"fact":"spec","command":"true","by":{"pid":5}}',
    '{"fact":"started"}',
    '{"fact":"started","pid":"5","shimPid":4,"at":1}',
    '{"fact":"started","pid":2.5,"shimPid":4,"at":1}',
    '{"fact":"started","pid":5,"at":1}',
    '{"fact":"started","pid":5,"shimPid":4}',
    '{"fact":"waiting"}',
    '{"fact":"exit","code":2.5}',
    '{"fact":"exit","code":null,"exitSignal":9}',
    '{"fact":"exit","ran":true}',
    '{"fact":"exit","ran":"false"}',
    '{"fact":"gone"}',
    '{"fact":"gone","proof":7}',
    '{"fact":"stop","cause":"boredom"}',
    '{"fact":"exit"}',
    '{"fact":"exit","code":null}',
    '{"fact":"outcome","status":"done","endedAt":1}',
    '{"fact":"outcome","status":"lost","endedAt":null}',
    '{"fact":"outcome","status":"lost"}',
    '{"fact":"claim","id":"a"}',
    '{"fact":"cut","stream":"stdin","head":1,"tail":2,"bytes":3,"notice":4}',
    '{"fact":"cut","stream":"stdout","head":3,"tail":2,"bytes":3,"notice":4}',
    '{"fact":"cut","stream":"stdout","head":1,"tail":4,"bytes":3,"notice":4}',
  ];
  for (const line of lines) assert.equal(parseFact(line), null, line);
});

/** Cut to 32 bits, the last three mean a group, all processes, and the first one. */
const tooLarge = [2 ** 31, 2_151_677_942, 2 ** 32 - 1, 2 ** 32 + 1];

test('no fact yields an impossible pid, or one whose signal would reach all processes', () => {
  for (const pid of [1, 0, -1, -501, 2.5, ...tooLarge]) {
    assert.equal(parseFact(`{"fact":"started","pid":${pid},"shimPid":5,"at":1}`), null);
    assert.equal(parseFact(`{"fact":"started","pid":5,"shimPid":${pid},"at":1}`), null);
    assert.equal(parseFact(`{"fact":"waiting","pid":${pid}}`), null);
    const left = parseFact(`{"fact":"left","processes":[{"pid":${pid},"command":"x"}]}`);
    assert.deepEqual(left, { fact: 'left', processes: [] });
    const outcome = parseFact(
      `{"fact":"outcome","status":"lost","endedAt":1,"leftovers":[{"pid":${pid},"command":"x"}]}`,
    );
    assert.ok(outcome?.fact === 'outcome');
    assert.deepEqual(outcome.leftovers, []);
    assert.equal(parseFact(`{"fact":"hook","pid":${pid}}`), null);
  }
});

test('the author of a fact has a possible pid, which may be 1', () => {
  const claimBy = (pid: number) => parseFact(`{"fact":"claim","id":"c","by":{"pid":${pid}}}`);
  for (const pid of [0, -1, 1.5, ...tooLarge]) {
    assert.equal(claimBy(pid), null);
    assert.equal(parseFact(`{"fact":"spec","v":2,"command":"true","by":{"pid":${pid}}}`), null);
    const stop = parseFact(`{"fact":"stop","cause":"kill","by":{"pid":${pid}}}`);
    assert.ok(stop?.fact === 'stop' && stop.by === null);
  }
  for (const pid of [1, 2 ** 31 - 1]) assert.notEqual(claimBy(pid), null);
});

test('a cut with invalid offsets is skipped', () => {
  const good = { fact: 'cut', stream: 'stdout', head: 10, tail: 20, bytes: 30, notice: 4 };
  assert.deepEqual(parseFact(JSON.stringify(good)), good);
  for (const bad of [{ head: 0.5 }, { tail: 15.5 }, { notice: -4 }, { notice: 0.5 }, { bytes: 1e300 }])
    assert.equal(parseFact(JSON.stringify({ ...good, ...bad })), null, JSON.stringify(bad));
});

test('a spec of another version is not interpreted', () => {
  for (const v of [0, 1, 3, '2', null]) assert.equal(parseFact(JSON.stringify({ ...spec(), v })), null);
  assert.deepEqual(parseFact(JSON.stringify(spec())), spec());
});

test('an end needs only its required fields', () => {
  const nothing = { at: null, monoMs: null, left: null };
  assert.deepEqual(parseFact('{"fact":"exit","code":3}'), exit(3, nothing));
  assert.deepEqual(parseFact('{"fact":"exit","exitSignal":"SIGKILL"}'), exit('SIGKILL', nothing));
  const refused = parseFact('{"fact":"exit","ran":false,"errno":28}');
  assert.deepEqual(refused, { ...exit(0, nothing), code: null, ran: false, errno: 28 });
});

test('a start needs only the two processes and its time', () => {
  const least = parseFact('{"fact":"started","pid":5,"shimPid":4,"at":1}');
  const nothing = { start: null, shimStart: null, monoMs: null, subreaper: false };
  assert.deepEqual(least, started({ pid: 5, shimPid: 4, at: 1, ...nothing }));
});

test('the leftovers of a fact are a list, or unknown', () => {
  assert.deepEqual(parseFact('{"fact":"left"}'), { fact: 'left', processes: null });
  assert.deepEqual(parseFact('{"fact":"left","count":null,"processes":null}'), {
    fact: 'left',
    processes: null,
  });
  assert.deepEqual(parseFact('{"fact":"left","processes":[],"proof":"p"}'), {
    fact: 'left',
    processes: [],
    proof: 'p',
  });
});

test('a fact that a shim sent and the same fact in the log are equal', () => {
  const line = JSON.stringify(proven(7));
  const told = parseTold(line);
  const written = parseFact(line);
  assert.deepEqual([told, written], [proven(7), proven(7)]);
  assert.notEqual(told, written);
  assert.equal(parseTold('{"fact":"exit","code":'), null);
  assert.equal(parseFact('{"fact":"exit","code":'), null);
  assert.deepEqual(parseFact(line), proven(7));
});
