import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { decide } from '../../src/model/decide.ts';
import { foldFacts } from '../../src/model/fold.ts';
import { taskLogVersion } from '../../src/tasklog/codec.ts';
import { readLog } from '../../src/tasklog/log.ts';
import {
  encodeSessionRecord,
  encodeStoreRecord,
  parseSessionRecord,
  parseStoreRecord,
  storeVersion,
} from '../../src/tasklog/records.ts';
import { root } from '../support/repository.ts';

// Files as version 1 wrote them. They must load for ever, as these values; they are never edited. A new
// version of a format gets a folder of its own beside v1.

const sample = (name: string): string => join(root, 'test/compat/v1', name);
const read = (name: string): string => readFileSync(sample(name), 'utf8');

const by = {
  pid: 11_953,
  start: 438_295,
  boot: 'dfe8e6e8-4a9e-4a9f-a37a-69dee54719fb',
  pidNamespace: 'pid:[4026531836]',
  host: 'build-1',
};

const facts = [
  {
    fact: 'spec',
    v: 1,
    taskId: 'bgb-32c62d5d',
    sessionId: 'conversation-42',
    command: "make | tee 'log 한국어'\n",
    commandInFile: false,
    cwd: '/home/dev/project',
    shell: '/usr/bin/bash',
    name: 'build',
    labels: { issue: '7', '': 'empty key' },
    timeoutMs: 1_800_000,
    graceMs: 3_000,
    separate: true,
    leftovers: 'wait',
    maxOutputBytes: 1_073_741_824,
    keepOutputBytes: 104_857_600,
    // Fields of later, which this sample does not have.
    bindTo: null,
    retentionMs: null,
    cookie: 'bgb-32c62d5d.fead4f513194286c',
    createdAt: 1_763_830_969_145,
    uptimeMs: 4_383_070,
    by,
  },
  { fact: 'started', pid: 11_965, start: null },
  { fact: 'identified', pid: 11_965, start: 438_307 },
  {
    fact: 'stop',
    cause: 'output_limit',
    id: '2b612ca3941d',
    by,
    at: 1_763_830_969_600,
    graceMs: 3_000,
    killSignal: 'SIGTERM',
  },
  { fact: 'stop', cause: 'timeout', id: 'shim', by: null, at: null, graceMs: null, killSignal: null },
  { fact: 'pipe', statuses: [2, 0] },
  { fact: 'exit', code: 143, uptime: 4_383.84, cpuMs: 770 },
  { fact: 'reaped', code: 143, killSignal: null },
  {
    fact: 'outcome',
    id: '30adc93a36e6',
    status: 'killed',
    reason: 'output_limit',
    exitCode: 143,
    killSignal: null,
    startedAt: 1_763_830_969_145,
    endedAt: 1_763_830_969_915,
    cpuMs: 770,
    bytes: 20_000_000,
    stderrBytes: 12,
    leftovers: [{ pid: 11_970, command: 'tail -f log', start: 438_311 }],
    pipeStatus: [2, 0],
  },
  { fact: 'claim', id: 'c1', by },
  { fact: 'unclaim', id: 'c1' },
  { fact: 'claim', id: 'c2', by },
  { fact: 'delivered', id: '30adc93a36e6', at: 1_763_830_970_002 },
  {
    fact: 'stop',
    cause: 'leftovers',
    id: '9f00aa12bc34',
    by,
    at: 1_763_830_975_000,
    graceMs: 0,
    killSignal: 'SIGKILL',
  },
  { fact: 'stopped', id: '9f00aa12bc34', survivors: [] },
  { fact: 'cut', stream: 'stdout', head: 1_000, tail: 19_999_000, bytes: 20_000_000, notice: 61 },
];

test('a task log of version 1 loads: every kind of fact, and beside them a torn, a strange and a newer line', () => {
  assert.deepEqual(readLog(sample('task.jsonl'))?.list, facts);
});

test('its facts mean what they meant', () => {
  const folded = foldFacts(readLog(sample('task.jsonl'))?.list ?? []);
  const decision = decide(folded, 'no');
  assert.equal(decision.state === 'ended' && decision.delivered && decision.outcome.id, '30adc93a36e6');
  assert.deepEqual(folded.started, { fact: 'started', pid: 11_965, start: 438_307 });
  assert.equal(folded.stop?.id, '2b612ca3941d');
  assert.equal(folded.openStop, undefined);
  assert.deepEqual(
    folded.claims.map(({ id }) => id),
    ['c2'],
  );
});

test('the log of a queued task of version 1 loads', () => {
  const { list = [] } = readLog(sample('queued.jsonl')) ?? {};
  assert.deepEqual(list.slice(1), [
    { fact: 'waiting', pid: 11_965, start: 438_307 },
    { fact: 'turn', by, at: 1_763_830_979_145 },
    { fact: 'turn', by, at: 1_763_830_979_146 },
    { fact: 'started', pid: 11_965, start: 438_307, uptime: 4_393.07 },
  ]);
  const { spec, started } = foldFacts(list);
  assert.deepEqual(spec?.queue, { maxRunning: 4, order: 4_383_069_877 });
  assert.equal(started?.turnAt, 1_763_830_979_145);
});

test('the log of a task with limits of version 1 loads', () => {
  const folded = foldFacts(readLog(sample('limited.jsonl'))?.list ?? []);
  assert.deepEqual(folded.spec?.limits, [
    { limit: 'memoryBytes', value: 1_073_741_824, by: 'cgroup' },
    { limit: 'cpuSeconds', value: 600, by: 'ulimit' },
    { limit: 'processes', value: 500, by: 'nothing' },
    { limit: 'niceness', value: 5, by: 'nice' },
  ]);
  assert.equal(folded.spec?.cgroup, '/sys/fs/cgroup/user.slice/outlive-0123456789ab-bgb-32c62d5f');
  assert.deepEqual(folded.oom, { fact: 'oom', kills: 2 });
  const decision = decide(folded, 'no');
  assert.equal(decision.state === 'settle' && decision.verdict.reason, 'memory_limit');
});

test('the log of a task on Windows of version 1 loads; its exit marker was copied twice', () => {
  const folded = foldFacts(readLog(sample('task-on-windows.jsonl'))?.list ?? []);
  assert.equal(folded.exit?.copied, 1_795_387_123_579);
  const decision = decide(folded, 'no');
  assert.equal(decision.state === 'ended' && decision.outcome.reason, 'hidden_failure');
  assert.equal(decision.state === 'ended' && decision.delivered, true);
});

test('the log of a task whose exit marker proves itself loads; what was forged behind it does not count', () => {
  const { list = [] } = readLog(sample('sealed.jsonl')) ?? {};
  const folded = foldFacts(list);
  assert.equal(folded.spec?.seal, 'e1e9f084d3de7b1b4a7155761c01fd11');
  assert.deepEqual(folded.exit, {
    fact: 'exit',
    code: 7,
    uptime: 36_850.49,
    cpuMs: 0,
    proof: '0421a4bac86b0c30e6081ff8e4211599',
  });
  assert.equal(list.filter(({ fact }) => fact === 'exit').length, 3);
  const decision = decide(folded, 'no');
  assert.equal(decision.state === 'ended' && decision.outcome.id, '2fca1bb14bcc');
});

const shells = { dash: 750, bash: 770, 'bash-posix': 794, busybox: 770, mksh: 750, zsh: 760 };
for (const [shell, cpuMs] of Object.entries(shells)) {
  test(`the exit marker and the CPU time that ${shell} wrote load`, () => {
    assert.deepEqual(readLog(sample(`exit-${shell}.jsonl`))?.list, [
      { fact: 'started', pid: 11_965, start: 438_307 },
      { fact: 'exit', code: 7, uptime: 4_383.84, cpuMs },
    ]);
  });
}

test('store.json of version 1 loads, with fields that we do not know as well', () => {
  assert.deepEqual(parseStoreRecord(read('store.json.sample')), { version: 1 });
  assert.deepEqual(parseStoreRecord(read('store-with-more.json.sample')), { version: 1 });
});

test('session.json of version 1 loads, with fields that we do not know as well', () => {
  const createdAt = 1_763_830_969_100;
  const known = { version: 1, sessionId: 'conversation-42', createdAt };
  assert.deepEqual(parseSessionRecord(read('session.json.sample')), known);
  const more = { version: 1, sessionId: '../../한국어\n', createdAt };
  assert.deepEqual(parseSessionRecord(read('session-with-more.json.sample')), more);
});

test('what is written today is version 1, byte for byte', () => {
  assert.deepEqual([taskLogVersion, storeVersion], [1, 1]);
  assert.equal(encodeStoreRecord(), read('store.json.sample'));
  assert.equal(encodeSessionRecord('conversation-42', 1_763_830_969_100), read('session.json.sample'));
});
