import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  fstatSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { foldWith, logOfTask } from '../../../src/engine/session/read-record.ts';
import { decide } from '../../../src/model/decide.ts';
import type { Fact } from '../../../src/model/facts.ts';
import { encodeFact } from '../../../src/tasklog/codec.ts';
import {
  appendFacts,
  checkNamed,
  createLog,
  RecordGone,
  spoilLog,
  writeSpec,
} from '../../../src/tasklog/log.ts';
import { readLog, type TaskLog } from '../../../src/tasklog/read-log.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';
import {
  delivered,
  exit,
  outcome,
  proven,
  sealedSpec,
  spec,
  started,
  stop,
  waiting,
} from './sample-facts.ts';

const folder = mkdtempSync(join(tmpdir(), 'outlive-log-'));
after(() => rmSync(folder, { recursive: true }));

test('after a spec of any size its last block has room for the facts of the end', async () => {
  for (let length = 0; length <= 9_000; length += 61) {
    const path = join(folder, `spec-${length}`);
    const command = 'é'.repeat(length / 2);
    const descriptor = await createLog(path);
    writeSpec(descriptor, spec({ command }));
    closeSync(descriptor);
    const room = 4_096 - (statSync(path).size % 4_096);
    assert.ok(room >= 2_048 && room < 4_096, `a command of ${length} bytes leaves ${room}`);
    appendFacts(path, [started(), exit(0)]);
    assert.deepEqual(readLog(path)?.list, [spec({ command }), started(), exit(0)]);
  }
});

test('a spec that ends exactly at the end of its block gets another block', async () => {
  const path = join(folder, 'exact');
  const withoutCommand = Buffer.byteLength(encodeFact(spec({ command: '' })));
  const descriptor = await createLog(path);
  writeSpec(descriptor, spec({ command: 'x'.repeat(4_096 - withoutCommand) }));
  closeSync(descriptor);
  assert.equal(statSync(path).size, 4_096 + 4_096 + 1);
});

test(
  'the id of an existing log is taken, and the log is private',
  notOnWindows('files have no modes there'),
  async () => {
    const path = join(folder, 'taken');
    closeSync(await createLog(path));
    await assert.rejects(createLog(path), { code: 'EEXIST' });
    assert.equal(statSync(path).mode & 0o777, 0o600);
  },
);

test('several facts are appended as one, in order, after the existing content', () => {
  const path = join(folder, 'several');
  writeFileSync(path, '{"fact":"spec","torn');
  appendFacts(path, [started(), exit(3)]);
  assert.deepEqual(readLog(path)?.list, [started(), exit(3)]);
});

test('appending does not create a missing log', () => {
  const path = join(folder, 'removed');
  assert.throws(() => appendFacts(path, [exit(0)]), { code: 'ENOENT' });
  assert.equal(readLog(path), null);
});

test(
  'a symbolic link in the place of a log is neither read nor written',
  notOnWindows('links need a privilege'),
  async () => {
    const target = join(folder, 'target');
    writeFileSync(target, 'precious');
    const link = join(folder, 'link');
    symlinkSync(target, link);
    assert.equal(readLog(link), null);
    assert.throws(() => appendFacts(link, [exit(0)]), { code: 'ELOOP' });
    await assert.rejects(createLog(link), { code: 'EEXIST' });
    assert.equal(readFileSync(target, 'utf8'), 'precious');
  },
);

test('a folder in the place of a log is no log', () => {
  assert.equal(readLog(folder), null);
});

// This one starts a process: mkfifo.
test('a pipe in the place of a log is no log, and blocks nobody', {
  timeout: 10_000,
  ...notOnWindows('a pipe is no file there'),
}, () => {
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', [path]);
  assert.equal(readLog(path), null);
  assert.throws(() => appendFacts(path, [exit(0)]), { code: 'ENXIO' });
});

test('an empty log exists and contains nothing', notOnWindows('a pipe is no file there'), () => {
  const path = join(folder, 'empty');
  writeFileSync(path, '');
  assert.deepEqual(readLog(path)?.list, []);
  assert.equal(readLog(path)?.bytes, 0);
});

test('invalid bytes spoil only their line', () => {
  const path = join(folder, 'binary');
  writeFileSync(path, '');
  appendFacts(path, [started()]);
  appendFileSync(path, Buffer.from([0xff, 0xfe, 0x00, 0x80]));
  appendFacts(path, [exit(7)]);
  assert.deepEqual(readLog(path)?.list, [started(), exit(7)]);
});

test('facts that could not be written yet count in their place: last, or before later ones', () => {
  const path = join(folder, 'unwritten');
  appendFileSync(path, '');
  appendFacts(path, [spec(), started(), exit(0)]);
  const log = readLog(path);
  assert.ok(log);
  assert.equal(foldWith(log).outcome, undefined);
  const last = { fact: outcome(), behind: Number.POSITIVE_INFINITY };
  assert.deepEqual(foldWith(log, [last]).outcome, outcome());
  assert.equal(foldWith(log, [{ fact: stop('kill'), behind: 3 }, last]).stopIsLate, true);
  assert.equal(foldWith(log, [{ fact: stop('kill'), behind: 2 }, last]).stopIsLate, false);
});

const logOf = (name: string, ...facts: Fact[]): TaskLog => {
  const path = join(folder, name);
  writeFileSync(path, '');
  appendFacts(path, facts);
  const log = readLog(path);
  assert.ok(log);
  return log;
};

test('only facts on the disk forbid the start, since the shim reads nothing else', () => {
  const asked = { fact: stop('kill'), behind: 1 };
  const inMemory = foldWith(logOf('in-memory', sealedSpec), [asked]);
  assert.deepEqual([inMemory.isForbidden, inMemory.stop?.id], [false, 'stop-1']);
  assert.equal(decide(inMemory, 'yes').state, 'live');
  const told = foldWith(logOf('told', sealedSpec), [{ fact: outcome(), behind: 1 }]);
  assert.deepEqual([told.isForbidden, decide(told, 'yes').state], [false, 'live']);
  for (const fact of [stop('kill'), outcome()]) {
    const onDisk = foldWith(logOf('on-disk', sealedSpec, fact), [{ fact: stop('timeout'), behind: 2 }]);
    assert.equal(onDisk.isForbidden, true);
    assert.notEqual(decide(onDisk, 'yes').state, 'live');
  }
});

test('an end from the doorbell counts if it is proven, until the log has one', () => {
  const log = logOf('heard', sealedSpec, started());
  assert.equal(foldWith(log, [], proven(7)).exit?.code, 7);
  assert.equal(foldWith(log, [], exit(0)).exit, undefined);
  assert.equal(foldWith(log, [], exit(0, { proof: 'guessed' })).exit, undefined);
  assert.equal(foldWith(logOf('told', sealedSpec, started(), proven(5)), [], proven(7)).exit?.code, 5);
});

test('a record of another task names no process of this one', () => {
  const log = logOf('foreign', sealedSpec, waiting(), started(), proven(7), delivered());
  assert.deepEqual(logOfTask(log, sealedSpec.taskId), log);
  assert.deepEqual(logOfTask(log, 'bgb-89abcdef89ab').list, [proven(7), delivered()]);
});

test('either the spec or the fact that spoils an empty log counts: the first one', async () => {
  const path = join(folder, 'spoiled.jsonl');
  const log = await createLog(path);
  assert.equal(spoilLog(path), true);
  // Its spoiler may have died then: it is still a log that nothing was written to.
  assert.equal(readLog(path)?.bytes, 0);
  assert.equal(spoilLog(path), true);
  assert.throws(() => writeSpec(log, spec()), RecordGone);
  closeSync(log);
  const other = join(folder, 'not-spoiled.jsonl');
  const first = await createLog(other);
  const size = Buffer.byteLength(writeSpec(first, spec()));
  assert.equal(spoilLog(other), false);
  assert.equal(fstatSync(first).size, size + 1);
  assert.deepEqual(readLog(other)?.list, [spec()]);
  closeSync(first);
});

test(
  'it is noticed when an open log has lost its name',
  notOnWindows('open files keep their names there'),
  async () => {
    const path = join(folder, 'removed.jsonl');
    const log = await createLog(path);
    checkNamed(log);
    rmSync(path);
    assert.throws(() => checkNamed(log), RecordGone);
    closeSync(log);
  },
);
