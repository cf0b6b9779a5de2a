import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { dayOf, doneLog, logPathOf } from '../../src/tasklog/done.ts';
import { claimKey, freeKey, holderOf } from '../../src/tasklog/keys.ts';
import { sessionPathsIn } from '../../src/tasklog/paths.ts';
import { markName, parseMark } from '../../src/tasklog/retention-mark.ts';
import { by, exitProof, factsOf, fateOf, folded, goneProof, snapshotIn, textOf } from './sample.ts';

// Tasks of all kinds as version 2 writes them. They must load for ever; they are never edited.

test('a queued task loads', () => {
  assert.deepEqual(factsOf('queued.jsonl').slice(1, 4), [
    { fact: 'waiting', pid: 11_964, start: 438_307, locks: false },
    { fact: 'turn', by, at: 1_795_848_979_145 },
    { fact: 'turn', by, at: 1_795_848_979_146 },
  ]);
  const { spec, turn, started } = folded('queued.jsonl');
  assert.deepEqual(spec?.queue, { maxRunning: 4, order: 4_383_069_877 });
  assert.deepEqual([turn?.at, started?.at], [1_795_848_979_145, 1_795_848_979_160]);
  assert.equal(fateOf('queued.jsonl', 'yes'), 'completed null 0 null');
});

test('a task whose end nobody has seen loads', () => {
  const { outcome } = folded('lost.jsonl');
  assert.deepEqual([outcome?.endedAt, outcome?.lastSeenAt], [null, 1_795_848_985_173]);
  assert.equal(fateOf('lost.jsonl', 'no'), '5d2f0c9be1a7');
});

test('a task with the machine and the file of its record loads', () => {
  const { spec } = folded('placed.jsonl');
  assert.equal(spec?.by.machine, '8f4e1c0b52d39a7766c1d0f3ab54e921');
  assert.deepEqual(spec?.file, { dev: 65_024, ino: 9_007_199_254_740_993_000 });
  assert.equal(fateOf('placed.jsonl', 'unknown'), 'running');
});

test('a task with a key loads, and is found by it', () => {
  const { spec } = folded('keyed.jsonl');
  assert.equal(spec?.key, 'release 1.2 / 한국어');
  assert.equal(snapshotIn('keyed.jsonl').key, spec.key);
  const session = sessionPathsIn(mkdtempSync(join(tmpdir(), 'outlive-keys-')));
  try {
    const claim = textOf('key-path.sample').trim();
    mkdirSync(join(session.dir, dirname(claim)), { recursive: true });
    writeFileSync(join(session.dir, claim), '');
    const { taskId, cookie } = spec;
    assert.deepEqual(holderOf(session, spec.key), { taskId, cookie });
    assert.equal(claimKey(session, spec.key, 'bgb-0123abcd0123.0123456789abcdef'), false);
    // A cookie is part of a path, so one of another form says nothing.
    freeKey(session, spec.key, `../${claim.split('/')[1]}/${cookie}`);
    assert.deepEqual(holderOf(session, spec.key), { taskId, cookie });
    freeKey(session, spec.key, cookie);
    assert.equal(claimKey(session, spec.key, cookie), true);
    assert.ok(existsSync(join(session.dir, claim)), 'today it is written so as well');
  } finally {
    rmSync(session.dir, { recursive: true });
  }
});

test('the log of a done task is found at its old path, and is still put there', () => {
  const session = sessionPathsIn(mkdtempSync(join(tmpdir(), 'outlive-done-')));
  try {
    const path = join(session.dir, textOf('done-path.sample').trim());
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, '');
    assert.equal(logPathOf(session, 'bgb-32c62d5d32c6'), path);
    const day = dayOf(Date.parse('2026-12-05T23:59:59.999Z'));
    assert.equal(doneLog(session, { taskId: 'bgb-32c62d5d32c6', day }), path);
    assert.deepEqual([dayOf(null), dayOf(Number.MAX_VALUE), dayOf(-1)], ['never', 'never', '1970-01-01']);
  } finally {
    rmSync(session.dir, { recursive: true });
  }
});

test('the mark of a retention round is read, and written as before', () => {
  const name = textOf('retained.sample').trim();
  const mark = parseMark(name);
  assert.deepEqual(mark, {
    dueAt: 1_795_898_195_834,
    maxBytes: 10_737_418_240,
    bytes: 133_771_788,
    place: {
      session: 'nightly-build-0123456789abcdef',
      within: { folder: '2026-12-05', taskId: 'bgb-32c62d5d32c6' },
    },
  });
  assert.equal(mark && markName(mark), name);
});

test('a task that came after one that did not complete loads', () => {
  const { spec, waiting, stop } = folded('after.jsonl');
  assert.deepEqual([spec?.after, waiting?.locks], ['bgb-0123abcd0123', true]);
  assert.deepEqual([stop?.cause, stop?.by], ['dependency_failed', null]);
  for (const alive of ['yes', 'no'] as const)
    assert.equal(fateOf('after.jsonl', alive), 'failed dependency_failed null null');
});

test('a task with limits loads', () => {
  const { spec, oom } = folded('limited.jsonl');
  assert.deepEqual(spec?.limits, [
    { limit: 'memoryBytes', value: 1_073_741_824, by: 'cgroup' },
    { limit: 'cpuSeconds', value: 600, by: 'ulimit' },
    { limit: 'processes', value: 500, by: 'nothing' },
    { limit: 'niceness', value: 5, by: 'nice' },
  ]);
  assert.equal(spec?.cgroup, '/sys/fs/cgroup/user.slice/outlive-0123456789ab-bgb-32c62d5d32c6');
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
  assert.deepEqual([exit?.ran, exit?.code, exit?.exitSignal, isForbidden], [false, null, null, true]);
  assert.deepEqual(answered, ['2b612ca3941d']);
  for (const alive of ['yes', 'no'] as const)
    assert.equal(fateOf('refused.jsonl', alive), 'killed kill null null');
});

test('a task with facts and fields of a later version loads without those', () => {
  const [spec, ...facts] = factsOf('future.jsonl');
  assert.ok(spec?.fact === 'spec');
  assert.deepEqual([spec.leftovers, spec.bindTo, 'priority' in spec], ['report', null, false]);
  const [started, exit] = factsOf('queued.jsonl').slice(-2);
  assert.deepEqual(
    facts.map((fact) => Object.keys(fact).sort()),
    [started, exit].map((fact) => Object.keys(fact ?? {}).sort()),
  );
  assert.equal(fateOf('future.jsonl', 'yes'), 'failed null 3 null');
});
