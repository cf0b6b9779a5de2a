import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { lookAtOutput, type OutputFile, readOutput, tailOutput } from '../../../src/tasklog/output.ts';
import { SeenOutput, SeenOutputs } from '../../../src/tasklog/seen-output.ts';
import { cut } from '../model/sample-facts.ts';

const folder = mkdtempSync(join(tmpdir(), 'outlive-seen-'));
after(() => rmSync(folder, { recursive: true }));

let files = 0;

function newFile(content = ''): OutputFile {
  files += 1;
  const path = join(folder, `${files}.out`);
  writeFileSync(path, content);
  return { path, cut: undefined, seen: { before: new SeenOutput(), cutNow: () => undefined } };
}

test('a file that only grows is read as it is, however often it is checked', () => {
  const file = newFile();
  let text = '';
  for (let at = 0; at < 50; at += 1) {
    const more = 'a'.repeat(at) + at;
    appendFileSync(file.path, more);
    text += more;
    assert.deepEqual(lookAtOutput(file), { size: text.length, beginsAt: 0 });
    assert.equal(String(readOutput(file, text.length - more.length, 1_000).bytes), more);
  }
});

test('whatever is written, erased and written again, offsets only grow, and each byte that was read has one', () => {
  const step = fc.oneof(
    fc.record({
      write: fc.string({ unit: fc.constantFrom('a', 'b', 'c', '\n'), minLength: 1, maxLength: 90 }),
    }),
    fc.record({ truncate: fc.nat({ max: 100 }) }),
    fc.constant({ look: true }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const file = newFile();
      let [content, erased] = ['', 0];
      // A number tells each write from all others: what is the same before and after goes unnoticed.
      for (const [number, what] of steps.entries()) {
        if ('write' in what) {
          content += `${number}${what.write}`;
          appendFileSync(file.path, `${number}${what.write}`);
        } else if ('truncate' in what && what.truncate < content.length) {
          erased += content.length;
          content = content.slice(0, what.truncate);
          truncateSync(file.path, what.truncate);
        }
        const found = readOutput(file, 0, 100_000);
        assert.deepEqual(
          [String(found.bytes), found.offset, found.size, found.beginsAt],
          [content, erased, erased + content.length, erased],
        );
        assert.equal(tailOutput(file, 7).nextOffset, erased + content.length);
      }
    }),
    { numRuns: 300 },
  );
});

test('a file with other bytes before its last known end counts as another file, however long it is', () => {
  for (const length of [14, 15, 100]) {
    const file = newFile('one\ntwo\nthree\n');
    assert.equal(readOutput(file, 0, 100).nextOffset, 14);
    writeFileSync(file.path, 'x'.repeat(length));
    const found = readOutput(file, 14, 100);
    assert.deepEqual([found.bytes.length, found.offset, found.beginsAt], [length, 14, 14]);
  }
});

test('a later reader begins with what the record proves, and makes nothing up where the record knows less', () => {
  for (const [erasedBytes, size, begins] of [
    [0, 4, 0],
    [0, 1_000, 1_000],
    [1_000, 0, 1_000],
    [1_000, 6, 1_000],
    [1_000, 7, 1_007],
  ] as const) {
    const file = newFile('short\n');
    file.seen?.before.learn(erasedBytes, () => size);
    assert.deepEqual(lookAtOutput(file), { size: begins + 6, beginsAt: begins });
    file.seen?.before.learn(erasedBytes, () => 100_000);
    assert.deepEqual(lookAtOutput(file), { size: begins + 6, beginsAt: begins }, 'it is told once');
  }
});

test('an erasure that only the shim noticed makes the file start again, one that both noticed does not', () => {
  const tick = 'tick\n'.repeat(20);
  const file = newFile(tick);
  const before = file.seen?.before;
  before?.learn(0, () => 0);
  assert.equal(lookAtOutput(file).beginsAt, 0);
  // The same text anew, and longer: nothing tells it apart.
  writeFileSync(file.path, `${tick}tick\n`);
  assert.equal(lookAtOutput(file).beginsAt, 0);
  before?.learn(100, () => 0);
  assert.deepEqual(lookAtOutput(file), { size: 210, beginsAt: 105 });
  truncateSync(file.path);
  assert.equal(lookAtOutput(file).beginsAt, 210);
  before?.learn(205, () => 0);
  assert.equal(lookAtOutput(file).beginsAt, 210);
  before?.learn(205, () => 0);
  before?.learn(150, () => 0);
  assert.equal(lookAtOutput(file).beginsAt, 210);
});

test('a missing file has nothing to lose, and an unreadable one has lost nothing', () => {
  const before = new SeenOutput();
  const file: OutputFile = {
    path: join(folder, 'later.out'),
    cut: undefined,
    seen: { before, cutNow: () => undefined },
  };
  assert.deepEqual(lookAtOutput(file), { size: 0, beginsAt: 0 });
  writeFileSync(file.path, 'now\n');
  assert.deepEqual(lookAtOutput(file), { size: 4, beginsAt: 0 });
  rmSync(file.path);
  assert.deepEqual(lookAtOutput(file), { size: 4, beginsAt: 4 });
  writeFileSync(file.path, 'again\n');
  assert.equal(String(readOutput(file, 4, 10).bytes), 'again\n');
});

test('a cut after the facts were read is no erasure: the log is read once more', () => {
  const whole = Buffer.from(Array.from({ length: 100 }, (_none, index) => index));
  const file = { ...newFile(), seen: { before: new SeenOutput(), cutNow: () => cut() } };
  writeFileSync(file.path, whole);
  assert.equal(lookAtOutput(file).size, 100);
  writeFileSync(file.path, Buffer.concat([whole.subarray(0, 10), Buffer.from('NOTE\n'), whole.subarray(90)]));
  const found = readOutput(file, 50, 3);
  assert.deepEqual(
    [[...found.bytes], found.offset, found.omittedBytes, found.beginsAt],
    [[90, 91, 92], 90, 40, 0],
  );
});

test('a process that reads any number of outputs remembers a bounded number of them', () => {
  const outputs = new SeenOutputs();
  const first = outputs.of('/first');
  for (let at = 0; at < 1_000; at += 1) {
    outputs.of(`/${at}`);
    if (at % 100 === 0) assert.equal(outputs.of('/first'), first, 'who is asked for stays');
  }
  const forgotten = outputs.of('/0');
  assert.equal(outputs.of('/0'), forgotten);
  for (let at = 0; at < 1_000; at += 1) outputs.of(`/${at}`);
  assert.notEqual(outputs.of('/first'), first);
});

test('what is known of a file is kept until its last repeated reader is done', () => {
  const outputs = new SeenOutputs();
  const [mine, others] = [outputs.keep('/followed'), outputs.keep('/followed')];
  const seen = outputs.of('/followed');
  const many = (): void => {
    for (let at = 0; at < 1_000; at += 1) outputs.of(`/${at}`);
  };
  many();
  mine();
  many();
  assert.equal(outputs.of('/followed'), seen);
  others();
  many();
  assert.notEqual(outputs.of('/followed'), seen);
});
