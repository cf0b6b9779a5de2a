import assert from 'node:assert/strict';
import { test } from 'node:test';
import { by, exitProof, factsOf, fateOf, folded, goneProof } from './sample.ts';

// Tasks of all kinds as version 2 writes them. They must load for ever; they are never edited.

test('a queued task loads', () => {
  assert.deepEqual(factsOf('queued.jsonl').slice(1, 4), [
    { fact: 'waiting', pid: 11_964, start: 438_307 },
    { fact: 'turn', by, at: 1_795_848_979_145 },
    { fact: 'turn', by, at: 1_795_848_979_146 },
  ]);
  const { spec, turn, started } = folded('queued.jsonl');
  assert.deepEqual(spec?.queue, { maxRunning: 4, order: 4_383_069_877 });
  assert.deepEqual([turn?.at, started?.at], [1_795_848_979_145, 1_795_848_979_160]);
  assert.equal(fateOf('queued.jsonl', 'yes'), 'completed null 0 null');
});

test('a task with limits loads', () => {
  const { spec, oom } = folded('limited.jsonl');
  assert.deepEqual(spec?.limits, [
    { limit: 'memoryBytes', value: 1_073_741_824, by: 'cgroup' },
    { limit: 'cpuSeconds', value: 600, by: 'ulimit' },
    { limit: 'processes', value: 500, by: 'nothing' },
    { limit: 'niceness', value: 5, by: 'nice' },
  ]);
  assert.equal(spec?.cgroup, '/sys/fs/cgroup/user.slice/outlive-0123456789ab-bgb-32c62d5d');
  assert.deepEqual(oom, { fact: 'oom', kills: 2 });
  assert.equal(fateOf('limited.jsonl', 'yes'), 'failed memory_limit 137 SIGKILL');
});

test('a task with forged facts loads, and none of them counts', () => {
  const facts = factsOf('forged.jsonl');
  assert.equal(facts.filter(({ fact }) => fact === 'exit').length, 5);
  const { spec, started, exit, left, gone } = folded('forged.jsonl');
  assert.equal(spec?.command, 'sleep 60 & echo done; exit 7');
  assert.deepEqual([started?.pid, exit?.code, exit?.proof], [11_965, 7, exitProof]);
  assert.deepEqual([left, gone], [undefined, { fact: 'gone', proof: goneProof }]);
  for (const alive of ['yes', 'no'] as const)
    assert.equal(fateOf('forged.jsonl', alive), '2fca1bb14bcc delivered');
});

test('a task of Windows loads; its exit code was copied twice', () => {
  const { spec, started, exit } = folded('windows.jsonl');
  assert.equal(spec?.seal, undefined);
  assert.deepEqual([started?.pid, started?.shimPid, started?.subreaper], [388, 388, false]);
  assert.equal(exit?.copied, 1_795_848_969_579);
  assert.equal(fateOf('windows.jsonl', 'no'), 'ecf101616efc delivered');
  assert.equal(fateOf('windows.jsonl', 'yes'), 'running', 'nothing is proven there');
});

test('a task whose command was not run loads', () => {
  const { exit, isForbidden, answered } = folded('refused.jsonl');
  assert.deepEqual([exit?.ran, exit?.code, exit?.killSignal, isForbidden], [false, null, null, true]);
  assert.deepEqual(answered, ['2b612ca3941d']);
  for (const alive of ['yes', 'no'] as const)
    assert.equal(fateOf('refused.jsonl', alive), 'killed kill null null');
});

test('a task with facts and fields of later loads as far as we know them', () => {
  const [spec, ...facts] = factsOf('future.jsonl');
  assert.ok(spec?.fact === 'spec');
  assert.deepEqual([spec.leftovers, spec.bindTo, 'priority' in spec], ['report', null, false]);
  const [started, exit] = factsOf('queued.jsonl').slice(-2);
  assert.deepEqual(
    facts.map((fact) => Object.keys(fact)),
    [Object.keys(started ?? {}), Object.keys(exit ?? {})],
  );
  assert.equal(fateOf('future.jsonl', 'yes'), 'failed null 3 null');
});
