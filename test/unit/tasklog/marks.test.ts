import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  mkdirSync,
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
import fc from 'fast-check';
import { type OutputMark, offsetSince, writtenAt } from '../../../src/model/marks.ts';
import { parseMarks, readMarks } from '../../../src/tasklog/marks.ts';
import { root } from '../../support/repository.ts';

const folder = mkdtempSync(join(tmpdir(), 'outlive-marks-'));
const path = join(folder, 'o.marks');
after(() => rmSync(folder, { recursive: true }));

/** What a shim writes that sees the output grow so. */
function noted(looks: readonly (OutputMark | 'restart')[]): OutputMark[] {
  rmSync(path, { force: true });
  const input = looks
    .map((look) => (look === 'restart' ? 'restart\n' : `${look.offset} ${look.at}\n`))
    .join('');
  const { status, stderr } = spawnSync(program(), [folder], { input, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return existsSync(path) ? parseMarks(readFileSync(path)) : [];
}

let compiled: string | undefined;

function program(): string {
  if (compiled !== undefined) return compiled;
  compiled = join(folder, 'program');
  const sources = ['test/fixtures/marks.c', 'native/src/marks.c', 'native/src/text.c'];
  const words = [
    '-std=c11',
    '-O1',
    '-Wall',
    '-Wextra',
    '-Werror',
    '-Inative/src',
    '-o',
    compiled,
    ...sources,
  ];
  const { status, stderr } = spawnSync('cc', words, { cwd: root, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return compiled;
}

const whole = { offset: 1_000_000, at: 9_000_000 };

test('with only one burst of output there is no file of marks', () => {
  assert.deepEqual(
    noted([
      { offset: 3, at: 1_000 },
      { offset: 9, at: 1_900 },
    ]),
    [],
  );
  assert.equal(existsSync(path), false);
});

test('there is one mark per second, with the size of the output at that time', () => {
  const looks = [0, 400, 900, 1_000, 1_999, 60_000, 60_020, 61_000].map((at, index) => ({
    offset: 10 * (index + 1),
    at,
  }));
  assert.deepEqual(noted(looks), [
    { offset: 30, at: 900 },
    { offset: 50, at: 1_999 },
    { offset: 70, at: 60_020 },
    { offset: 80, at: 61_000 },
  ]);
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test('at 4,096 marks every second one is removed, and from then on they are twice as far apart', () => {
  const looks = Array.from({ length: 10_000 }, (_, index) => ({ offset: index + 1, at: 1_000 * index }));
  const marks = noted(looks);
  assert.ok(marks.length > 2_048 && marks.length <= 4_096, `${marks.length}`);
  const [first, second] = marks.slice(-2);
  assert.equal((second?.at ?? 0) - (first?.at ?? 0), 4_000);
  assert.deepEqual(marks.at(-1), looks.at(-1));
  assert.ok(statSync(path).size <= 16 + 4_096 * 16);
});

test('the marks of erased output are removed', () => {
  const before = [
    { offset: 5, at: 1_000 },
    { offset: 6, at: 3_000 },
  ];
  const behind = [
    { offset: 2, at: 9_000 },
    { offset: 3, at: 12_000 },
  ];
  assert.deepEqual(noted([...before, 'restart', ...behind]), behind);
});

test('an existing file of marks is not touched', () => {
  writeFileSync(path, 'of somebody else');
  const input = '1 1000\n2 3000\n3 6000\n';
  assert.equal(spawnSync(program(), [folder], { input }).status, 1);
  assert.equal(readFileSync(path, 'utf8'), 'of somebody else');
});

const growth = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 1_000 }), fc.constantFrom(0, 20, 400, 1_000, 4_000, 3_600_000)), {
    minLength: 1,
    maxLength: 200,
  })
  .map((steps) => {
    const look = { offset: 0, at: 1_000_000 };
    return steps.map(([bytes, ms]) => {
      look.offset += bytes;
      look.at += ms;
      return { ...look };
    });
  });

test('no byte since a time is left out, and few earlier ones come with them', () => {
  fc.assert(
    fc.property(growth, fc.double({ min: 0, max: 1, noNaN: true }), (looks, share) => {
      noted(looks);
      const end = looks.at(-1) ?? { offset: 0, at: 0 };
      const marks = readMarks(path, end);
      const since = Math.round(1_000_000 + share * (end.at - 1_000_000));
      const from = offsetSince(marks, since);
      // What was there before the look that came before that time was written earlier.
      const exact = looks.findLast(({ at }) => at < since)?.offset ?? 0;
      assert.ok(from <= exact, `${from} is behind ${exact}`);
      const coarse = looks.findLast(({ at }) => at < since - 1_000)?.offset ?? 0;
      assert.ok(from >= coarse, `${from} is before ${coarse}`);
    }),
    { numRuns: 60 },
  );
});

test('the time of a byte is that of the first mark after it', () => {
  const marks = [
    { offset: 10, at: 5 },
    { offset: 20, at: 9 },
  ];
  assert.deepEqual(
    [0, 9, 10, 19, 20].map((offset) => writtenAt(marks, offset)),
    [5, 5, 9, 9, null],
  );
  assert.equal(writtenAt([], 0), null);
  assert.equal(offsetSince([], 7), 0);
  assert.deepEqual(
    [5, 6, 9, 10].map((since) => offsetSince(marks, since)),
    [0, 10, 10, 20],
  );
});

test('without marks only the time of the last output is known', () => {
  assert.deepEqual(readMarks(join(folder, 'nothing'), whole), [whole]);
  assert.deepEqual(readMarks(join(folder, 'nothing'), { offset: 0, at: 7 }), []);
});

test('invalid and damaged files of marks do no harm', () => {
  const place = join(folder, 'damaged');
  const header = Buffer.from('outlive marks\0\0\x01', 'latin1');
  const record = (offset: bigint, at: bigint): Buffer => {
    const bytes = Buffer.alloc(16);
    bytes.writeBigUInt64LE(offset, 0);
    bytes.writeBigUInt64LE(at, 8);
    return bytes;
  };
  const fine = record(5n, 1_000n);
  const huge = 2n ** 64n - 1n;
  const cases: [content: Buffer, marks: OutputMark[]][] = [
    [Buffer.alloc(0), []],
    [Buffer.from('no marks'), []],
    [Buffer.concat([Buffer.from('outlive marks\0\0\x02', 'latin1'), fine]), []],
    [Buffer.concat([header, fine.subarray(0, 15)]), []],
    [Buffer.concat([header, fine, fine]), [{ offset: 5, at: 1_000 }]],
    [Buffer.concat([header, record(huge, 1n), record(1n, huge), fine]), [{ offset: 5, at: 1_000 }]],
    [
      Buffer.concat([header, fine, record(4n, 2_000n), record(6n, 999n), record(7n, 1_000n)]),
      [
        { offset: 5, at: 1_000 },
        { offset: 7, at: 1_000 },
      ],
    ],
    // Marks of what was erased since.
    [Buffer.concat([header, fine, record(1_000_001n, 3_000n)]), [{ offset: 5, at: 1_000 }]],
  ];
  for (const [content, marks] of cases) {
    writeFileSync(place, content);
    assert.deepEqual(readMarks(place, whole), [...marks, whole]);
  }
  // A file that somebody has made long is read as far as a shim would have written it.
  writeFileSync(place, Buffer.concat([header, Buffer.alloc(4_096 * 16), record(5n, 5n)]));
  assert.deepEqual(readMarks(place, whole), [whole]);
  // A task may set the time of its output back.
  writeFileSync(place, Buffer.concat([header, fine]));
  assert.deepEqual(readMarks(place, { offset: 9, at: 1 }), [
    { offset: 5, at: 1_000 },
    { offset: 9, at: 1_000 },
  ]);
});

test('marks are not read through a link, and a folder or a pipe in their place is ignored', () => {
  const place = join(folder, 'other');
  const target = join(folder, 'target');
  writeFileSync(target, Buffer.concat([Buffer.from('outlive marks\0\0\x01', 'latin1'), Buffer.alloc(16, 1)]));
  symlinkSync(target, place);
  assert.deepEqual(readMarks(place, whole), [whole]);
  rmSync(place);
  mkdirSync(place);
  assert.deepEqual(readMarks(place, whole), [whole]);
  rmSync(place, { recursive: true });
  assert.equal(spawnSync('mkfifo', [place]).status, 0);
  assert.deepEqual(readMarks(place, whole), [whole]);
  rmSync(place);
  linkSync(target, place);
  assert.equal(readMarks(place, { offset: Number.MAX_SAFE_INTEGER, at: 0 }).length, 1);
});
