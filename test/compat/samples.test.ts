import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseFact, taskLogVersion } from '../../src/tasklog/codec.ts';
import {
  encodeSessionRecord,
  encodeStoreRecord,
  parseSessionRecord,
  parseStoreRecord,
  storeVersion,
} from '../../src/tasklog/records.ts';
import { by, exitProof, factsOf, fateOf, folded, goneProof, textOf } from './sample.ts';

// Files as version 2 writes them, the first that loads for ever. They must load as these values; they are never
// edited. A new version of a format gets a folder of its own beside v2.

const leftover = { pid: 11_970, command: 'tail -f log', start: 438_311 };

const facts = [
  {
    fact: 'spec',
    v: 2,
    taskId: 'bgb-32c62d5d32c6',
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
    leftovers: 'kill',
    maxOutputBytes: 1_073_741_824,
    keepOutputBytes: 104_857_600,
    bindTo: null,
    retentionMs: 604_800_000,
    cookie: 'bgb-32c62d5d32c6.fead4f513194286c',
    createdAt: 1_795_848_969_145,
    monoMs: 4_383_070.125,
    by,
    seal: 'bcff9a5f108e9aef23f1fbd679d122ed',
    onExit: 'notify "$OUTLIVE_STATUS"',
  },
  {
    fact: 'started',
    pid: 11_965,
    start: 438_308,
    shimPid: 11_964,
    shimStart: 438_307,
    at: 1_795_848_969_165,
    monoMs: 4_383_091,
    subreaper: true,
  },
  {
    fact: 'watch',
    id: 'errors',
    pattern: { regexp: 'error (\\d+) €', flags: 'i' },
    stream: 'stdout',
    from: 0,
    at: 1_795_848_969_200,
  },
  {
    fact: 'watch',
    id: 'ready',
    pattern: { text: 'ready [0]' },
    stream: 'stderr',
    from: 120,
    at: 1_795_848_969_201,
  },
  {
    fact: 'stop',
    cause: 'output_limit',
    id: 'shim',
    by: null,
    at: 1_795_848_969_600,
    graceMs: 3_000,
    killSignal: 'SIGTERM',
  },
  {
    fact: 'stop',
    cause: 'kill',
    id: '2b612ca3941d',
    by,
    at: 1_795_848_969_650,
    graceMs: 3_000,
    killSignal: 'SIGTERM',
  },
  { fact: 'stopping', id: '2b612ca3941d' },
  {
    fact: 'exit',
    code: null,
    exitSignal: 'SIGTERM',
    core: false,
    ran: true,
    errno: null,
    at: 1_795_848_969_915,
    monoMs: 4_383_840,
    cpuMs: 770,
    peakBytes: 18_534_400,
    left: 2,
    pending: true,
    pipeStatus: [2, 0],
    proof: exitProof,
  },
  { fact: 'left', processes: [leftover, { pid: 11_971, command: '[kworker]', start: 438_312 }] },
  { fact: 'left', processes: [leftover], proof: goneProof },
  { fact: 'oom', kills: 1 },
  {
    fact: 'outcome',
    id: '30adc93a36e6',
    status: 'killed',
    reason: 'output_limit',
    exitCode: 143,
    exitSignal: 'SIGTERM',
    startedAt: 1_795_848_969_165,
    endedAt: 1_795_848_969_915,
    lastSeenAt: null,
    cpuMs: 770,
    bytes: 20_000_000,
    stderrBytes: 12,
    leftovers: [leftover],
    pipeStatus: [2, 0],
  },
  { fact: 'claim', id: 'c1', by },
  { fact: 'unclaim', id: 'c1' },
  { fact: 'claim', id: 'c2', by },
  { fact: 'delivered', id: '30adc93a36e6', at: 1_795_848_970_002 },
  { fact: 'seen', watch: 'errors', id: 'c0ffee000001', offset: 812, at: 1_795_848_970_003 },
  { fact: 'seen', watch: 'errors', id: 'c0ffee000002', offset: 90, at: 1_795_848_970_004 },
  { fact: 'unwatch', watch: 'errors' },
  {
    fact: 'stop',
    cause: 'leftovers',
    id: '9f00aa12bc34',
    by,
    at: 1_795_848_975_000,
    graceMs: 0,
    killSignal: 'SIGKILL',
  },
  { fact: 'stopping', id: '9f00aa12bc34' },
  { fact: 'stopped', id: '9f00aa12bc34', survivors: [leftover] },
  { fact: 'gone', proof: goneProof },
  { fact: 'cut', stream: 'stdout', head: 1_000, tail: 19_999_000, bytes: 20_000_000, notice: 61 },
  { fact: 'hook', pid: 11_980, start: 438_330, at: 1_795_848_970_010, monoMs: 4_383_940 },
  {
    fact: 'hooked',
    code: 0,
    exitSignal: null,
    cause: null,
    errno: null,
    at: 1_795_848_970_110,
    monoMs: 4_384_040,
  },
];

test('the log of a whole task loads, and torn, unknown and newer lines in it are skipped', () => {
  assert.deepEqual(factsOf('task.jsonl'), facts);
});

test('the samples together contain every kind of fact', () => {
  const names = ['task.jsonl', 'queued.jsonl', 'output.jsonl', 'told.jsonl', 'told-lines.jsonl'];
  const kinds = new Set(names.flatMap((name) => factsOf(name).map(({ fact }) => fact)));
  assert.deepEqual([...kinds].sort(), [
    ...['claim', 'cut', 'delivered', 'erased', 'exit', 'gone', 'hook', 'hooked', 'left', 'oom', 'outcome'],
    'seen',
    ...['spec', 'started', 'stop', 'stopped', 'stopping', 'telling', 'told', 'turn', 'unclaim', 'untelling'],
    'unwatch',
    ...['waiting', 'watch'],
  ]);
});

test('the facts of the sample keep their meaning', () => {
  for (const alive of ['yes', 'no', 'unknown'] as const)
    assert.equal(fateOf('task.jsonl', alive), '30adc93a36e6 delivered');
  const { stop, stopIsLate, openStop, answered, left, gone, claims, isForbidden } = folded('task.jsonl');
  assert.deepEqual(
    [stop?.cause, stopIsLate, openStop, isForbidden],
    ['output_limit', false, undefined, false],
  );
  assert.deepEqual(answered, ['2b612ca3941d', '9f00aa12bc34']);
  assert.deepEqual([left?.proof, gone?.proof], [goneProof, goneProof]);
  assert.deepEqual(
    claims.map(({ id }) => id),
    ['c2'],
  );
});

test('the spec of a task log of version 1 is not understood', () => {
  const spec = textOf('task.jsonl').trimStart().split('\n')[0] ?? '';
  assert.equal(parseFact(spec)?.fact, 'spec');
  assert.equal(parseFact(spec.replace('"v":2', '"v":1')), null);
});

test('store.json loads, also with unknown fields', () => {
  assert.deepEqual(parseStoreRecord(textOf('store.json.sample')), { version: 2 });
  assert.deepEqual(parseStoreRecord(textOf('store-with-more.json.sample')), { version: 2 });
});

test('session.json loads, also with unknown fields', () => {
  const createdAt = 1_795_848_969_100;
  const known = { version: 2, sessionId: 'conversation-42', createdAt };
  assert.deepEqual(parseSessionRecord(textOf('session.json.sample')), known);
  const more = { version: 2, sessionId: '../../한국어\n', createdAt };
  assert.deepEqual(parseSessionRecord(textOf('session-with-more.json.sample')), more);
});

test('the facts that this version writes are version 2, byte for byte', () => {
  assert.deepEqual([taskLogVersion, storeVersion], [2, 2]);
  assert.equal(encodeStoreRecord(), textOf('store.json.sample'));
  assert.equal(encodeSessionRecord('conversation-42', 1_795_848_969_100), textOf('session.json.sample'));
});

test('a task that runs without a shell loads, with its words as a command line', () => {
  const { spec } = folded('program.jsonl');
  assert.deepEqual([spec?.shell, spec?.command], [null, `grep -r 'it'\\''s $HOME' .`]);
  assert.equal(fateOf('program.jsonl', 'yes'), 'running');
});
