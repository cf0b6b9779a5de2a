import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeFact, parseFact, parseLog } from '../../src/tasklog/codec.ts';
import { exit, spec } from './sample-facts.ts';

test('what is no fact that we know is skipped', () => {
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

test('a fact without what makes it a fact is skipped', () => {
  const lines = [
    '{"fact":"spec","v":1,"by":{"pid":5}}',
    '{"fact":"spec","v":1,"command":"true"}',
    '{"fact":"spec","command":"true","by":{"pid":5}}',
    '{"fact":"started"}',
    '{"fact":"started","pid":"5"}',
    '{"fact":"started","pid":2.5}',
    '{"fact":"exit","code":2.5}',
    '{"fact":"identified","pid":5}',
    '{"fact":"stop","cause":"boredom"}',
    '{"fact":"exit"}',
    '{"fact":"exit","code":null}',
    '{"fact":"outcome","status":"done","endedAt":1}',
    '{"fact":"outcome","status":"lost"}',
    '{"fact":"claim","id":"a"}',
    '{"fact":"cut","stream":"stdin","head":1,"tail":2,"bytes":3,"notice":4}',
    '{"fact":"cut","stream":"stdout","head":3,"tail":2,"bytes":3,"notice":4}',
    '{"fact":"cut","stream":"stdout","head":1,"tail":4,"bytes":3,"notice":4}',
  ];
  for (const line of lines) assert.equal(parseFact(line), null, line);
});

test('no fact makes a pid of 0, 1 or below, to which a signal would reach everybody', () => {
  for (const pid of [1, 0, -1, -501]) {
    assert.equal(parseFact(`{"fact":"started","pid":${pid}}`), null);
    const outcome = parseFact(
      `{"fact":"outcome","status":"lost","endedAt":1,"leftovers":[{"pid":${pid},"command":"x"}]}`,
    );
    assert.ok(outcome?.fact === 'outcome');
    assert.deepEqual(outcome.leftovers, []);
  }
});

test('a cut whose numbers are no places in a file is skipped', () => {
  const good = { fact: 'cut', stream: 'stdout', head: 10, tail: 20, bytes: 30, notice: 4 };
  assert.deepEqual(parseFact(JSON.stringify(good)), good);
  for (const bad of [{ head: 0.5 }, { tail: 15.5 }, { notice: -4 }, { notice: 0.5 }, { bytes: 1e300 }])
    assert.equal(parseFact(JSON.stringify({ ...good, ...bad })), null, JSON.stringify(bad));
});

test('a spec of a newer version is not guessed at', () => {
  assert.equal(parseFact(JSON.stringify({ ...spec(), v: 2 })), null);
});

const exitLine = '\n{"fact":"exit","code":0,"uptime":101}\n';

test('the CPU time is that of the children, which is the second line behind the exit marker', () => {
  const [fact] = parseLog(`${exitLine}0m0.003s 0m0.001s\n1m2.250s 0m1.500s\n`);
  assert.deepEqual(fact, exit(0, { cpuMs: 63_750 }));
});

test('the CPU time may be written with a comma, with blanks, or not at all', () => {
  const cpuMs = (times: string) =>
    parseLog(exitLine + times).map((fact) => (fact.fact === 'exit' ? fact.cpuMs : 0));
  assert.deepEqual(cpuMs('0m0,003s 0m0,001s\n0m0,250s 0m0,500s\n'), [750]);
  assert.deepEqual(cpuMs('  0m00.00s 0m00.00s \n  0m00.02s 0m00.00s \n'), [20]);
  assert.deepEqual(cpuMs('0m0.003s 0m0.001s\n'), [null]);
  assert.deepEqual(cpuMs('user 0.25\nsys 0.5\n'), [null]);
  assert.deepEqual(cpuMs(''), [null]);
});

test('each exit marker has the CPU time that stands behind it, however many are forged', () => {
  const times = '0m0.000s 0m0.000s\n0m0.250s 0m0.000s\n';
  const log = parseLog(`${exitLine}0m0.000s 0m0.000s\n9m0.000s 0m0.000s\n${exitLine}${times}`);
  assert.deepEqual(log, [exit(0, { cpuMs: 540_000 }), exit(0, { cpuMs: 250 })]);
});

test('facts of ours between the exit marker and its times do not part them', () => {
  const ours = encodeFact({ fact: 'delivered', id: 'a', at: 1 });
  const [first] = parseLog(`${exitLine}0m0.000s 0m0.000s\n${ours}0m0.250s 0m0.000s\n`);
  assert.deepEqual(first, exit(0, { cpuMs: 250 }));
});
