import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { decodeCheckpoint, encodeCheckpoint } from '../../../src/terminal/checkpoint.ts';
import { CheckpointWriter, readCheckpoint } from '../../../src/terminal/checkpoint-file.ts';
import { LiveScreen, type Moment } from '../../../src/terminal/live-screen.ts';
import type { TerminalOutput } from '../../../src/terminal/open-screen.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';
import { rendered } from '../../support/screens.ts';
import { waitFor } from '../../support/world.ts';

const owner = 'bgb-0123abcd0123.c0ffee';
const size = { cols: 30, rows: 5 };
const line = (at: number): string => `\x1b[3${at % 8}mline ${at}\x1b[0m of some output\r\n`;

class Folder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'outlive-checkpoint-'));
  readonly file = join(this.path, 'bgb-0123abcd0123.out.screen');

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

function outputOf(
  bytes: Buffer,
  more: Partial<TerminalOutput> = {},
): TerminalOutput & { readonly reads: number[] } {
  const reads: number[] = [];
  return {
    size,
    resizes: [],
    firstByte: 0,
    end: bytes.length,
    reads,
    async *read(from, to) {
      reads.push(to - from);
      for (let at = from; at < to; at += 65_536) yield bytes.subarray(at, Math.min(to, at + 65_536));
    },
    ...more,
  };
}

const bytes = Buffer.from(Array.from({ length: 1_000 }, (_, at) => line(at)).join(''));

async function keep(folder: Folder, upTo: number, output = bytes): Promise<void> {
  using live = await LiveScreen.open({ from: size });
  live.feed(output.subarray(0, upTo));
  assert.ok(new CheckpointWriter(folder.file, owner).save(live));
}

test('a kept screen makes it unnecessary to read the output before it', async () => {
  using folder = new Folder();
  await keep(folder, 30_000);
  const output = outputOf(bytes);
  const moment = await readCheckpoint(folder.file, owner, output);
  const { screen, whole } = await rendered(output, { moment });
  assert.deepEqual({ screen, whole }, await rendered(outputOf(bytes)));
  assert.ok(output.reads.reduce((sum, read) => sum + read, 0) < bytes.length - 25_000);
});

test(
  'only the owner can read the file, and no other file is left',
  notOnWindows('files have no modes there'),
  async () => {
    using folder = new Folder();
    await keep(folder, 3_000);
    await keep(folder, 6_000);
    assert.equal(statSync(folder.file).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(folder.path), ['bgb-0123abcd0123.out.screen']);
  },
);

const misfits: Record<string, (folder: Folder) => Promise<Moment | null>> = {
  'of another task': (folder) => readCheckpoint(folder.file, 'bgb-ffffffffffff.c0ffee', outputOf(bytes)),
  'of output that was replaced': (folder) =>
    readCheckpoint(folder.file, owner, outputOf(Buffer.from(bytes.toString().replaceAll('some', 'more')))),
  'of output that is shorter now': (folder) =>
    readCheckpoint(folder.file, owner, outputOf(bytes.subarray(0, 2_000))),
  'of a terminal of another size': (folder) =>
    readCheckpoint(folder.file, owner, outputOf(bytes, { size: { cols: 31, rows: 5 } })),
  'of a terminal that had another size by then': (folder) =>
    readCheckpoint(folder.file, owner, outputOf(bytes, { resizes: [{ offset: 100, cols: 40, rows: 5 }] })),
};
for (const [what, read] of Object.entries(misfits)) {
  test(`a kept screen ${what} is ignored`, async () => {
    using folder = new Folder();
    await keep(folder, 3_000);
    assert.notEqual(await readCheckpoint(folder.file, owner, outputOf(bytes)), null);
    assert.equal(await read(folder), null);
  });
}

test('a size change at exactly that offset matches, whichever came first', async () => {
  using folder = new Folder();
  await keep(folder, 3_000);
  const resizes = [{ offset: 3_000, cols: 20, rows: 8 }];
  const output = outputOf(bytes, { resizes });
  const moment = await readCheckpoint(folder.file, owner, output);
  assert.notEqual(moment, null);
  assert.deepEqual((await rendered(output, { moment })).screen, (await rendered(output)).screen);
});

test('a kept screen at the end still shows output that was cut later', async () => {
  using folder = new Folder();
  await keep(folder, bytes.length);
  const output = outputOf(bytes, { firstByte: bytes.length - 10 });
  const moment = await readCheckpoint(folder.file, owner, output);
  const { screen, whole } = await rendered(output, { moment });
  assert.deepEqual([screen.lines[0], whole], ['line 996 of some output', true]);
});

test('a file that is torn, changed, of another version, or missing is ignored', async () => {
  using folder = new Folder();
  await keep(folder, 3_000);
  const file = readFileSync(folder.file);
  const read = async (content: Uint8Array): Promise<Moment | null> => {
    writeFileSync(folder.file, content);
    return await readCheckpoint(folder.file, owner, outputOf(bytes));
  };
  assert.notEqual(await read(file), null);
  for (const end of [0, 5, 15, 16, 40, 48, 60, file.length - 1])
    assert.equal(await read(file.subarray(0, end)), null);
  for (const at of [0, 15, 20, 48, 100, file.length - 1]) {
    const changed = Buffer.from(file);
    changed[at] = (changed[at] ?? 0) ^ 1;
    assert.equal(await read(changed), null, `byte ${at}`);
  }
  assert.equal(await read(Buffer.concat([file, Buffer.from('x')])), null);
});

test(
  'a link, a folder and a file that is too large are ignored',
  notOnWindows('links need a privilege'),
  async () => {
    using folder = new Folder();
    await keep(folder, 3_000);
    const read = async (path: string): Promise<Moment | null> =>
      await readCheckpoint(path, owner, outputOf(bytes));
    const link = join(folder.path, 'link');
    symlinkSync(folder.file, link);
    assert.equal(await read(link), null);
    mkdirSync(join(folder.path, 'folder'));
    assert.equal(await read(join(folder.path, 'folder')), null);
    writeFileSync(join(folder.path, 'large'), Buffer.alloc(5 * 1024 ** 2));
    assert.equal(await read(join(folder.path, 'large')), null);
    assert.equal(await read(join(folder.path, 'not-there')), null);
  },
);

/** A file with a hash that fits, of content that somebody has made. */
function forged(file: Buffer, change: (text: string) => string): Buffer {
  const content = inflateRawSync(file.subarray(48));
  const end = 4 + content.readUInt32LE();
  const text = Buffer.from(change(content.subarray(4, end).toString()));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  const body = deflateRawSync(Buffer.concat([length, text, content.subarray(end)]));
  return Buffer.concat([file.subarray(0, 16), createHash('sha256').update(body).digest(), body]);
}

test('a forged file does no harm: it is ignored, or gives a screen', {
  timeout: 60_000,
}, async () => {
  using live = await LiveScreen.open({ from: size });
  live.feed(Buffer.from('\x1b[4:3mab\x1b[0m e\u0301한\x1b(0q\x1b[2;3r\x1b7\x1b[?1049h\x1b]2;t\x07x'));
  const moment = live.moment();
  assert.ok(moment);
  const file = encodeCheckpoint({ owner, moment });
  assert.ok(file);
  const pieces = fc.constantFrom(
    'null',
    '-1',
    '1e9',
    '[]',
    '{}',
    '"x"',
    'true',
    '""',
    '99999999',
    '0',
    '{"a":1}',
    '[null]',
  );
  await fc.assert(
    fc.asyncProperty(fc.nat(), pieces, async (which, piece) => {
      const changed = forged(file, (text) => {
        // One value of all.
        const values = [
          ...text.matchAll(/(?<=[:[,])(?:-?\d+|"[^"]*"(?!:)|true|false|null|\{\}|\[\])(?=[,\]}])/g),
        ];
        const { index = 0, 0: value = '' } = values[which % values.length] ?? {};
        return text.slice(0, index) + piece + text.slice(index + value.length);
      });
      const checkpoint = decodeCheckpoint(changed);
      if (checkpoint === null) return;
      using again = await LiveScreen.open({ from: checkpoint.moment });
      for (const text of ['x\r\n\x1b[5A\x1b8y\x1b[2J\t', '\x1b[?1049l한\x1b8\r\n\r\n\r\n\r\n\x1bMz\x0eq'])
        again.feed(Buffer.from(text));
      again.resize({ offset: again.offset, cols: 12, rows: 3 });
      again.feed(Buffer.from('more'));
      assert.equal(again.screen({ cells: true }).lines.length, 3);
    }),
    { numRuns: 400 },
  );
});

test('garbage gives no screen', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (garbage) => decodeCheckpoint(garbage) === null));
});

test('a screen is kept after much output, at most once a second, and at the end', async () => {
  using folder = new Folder();
  using live = await LiveScreen.open({ from: size });
  const writer = new CheckpointWriter(folder.file, owner);
  const grow = (): void => {
    for (let left = 40; left > 0; left -= 1) live.feed(bytes);
    writer.grown(live);
  };
  live.feed(bytes);
  writer.grown(live);
  assert.equal(existsSync(folder.file), false);
  grow();
  const first = readFileSync(folder.file);
  grow();
  assert.deepEqual(readFileSync(folder.file), first);
  // Also when nothing comes any more.
  await waitFor(() => !readFileSync(folder.file).equals(first), 'the rest of the flood to be kept');
  const second = readFileSync(folder.file);
  grow();
  writer.left(live);
  assert.notDeepEqual(readFileSync(folder.file), second);
  live.feed(Buffer.from('\x1b['));
  assert.equal(writer.save(live), false);
});

test('a missing folder is no error', async () => {
  using folder = new Folder();
  using live = await LiveScreen.open({ from: size });
  live.feed(bytes);
  assert.equal(new CheckpointWriter(join(folder.path, 'gone', 'x'), owner).save(live), false);
});
