import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FrameReader, type Incoming } from '../../../src/shim/frames.ts';

/** Frames as the shim sends them: how it stands, an answer, output, output in no file, a size, one of a later shim, the end. */
const stream = Buffer.concat([
  frame('h', '010f5000180007000000000000000200000063090000', '01'),
  frame('k', '01'),
  frame('o', '0300000000000000', Buffer.from('abc').toString('hex')),
  frame('u', Buffer.from('lost').toString('hex')),
  frame('z', '0600000000000000', '64001e00'),
  frame('?', '0102'),
  frame('x', '0600000000000000'),
]);

const told: Incoming[] = [
  {
    type: 'standing',
    standing: {
      version: 1,
      isTerminal: true,
      isCanonical: true,
      echoes: true,
      isOpen: true,
      size: { cols: 80, rows: 24 },
      offset: 7,
      waitingBytes: 2,
      foreground: 2403,
      watching: 1,
    },
  },
  { type: 'answer', answer: 'closed' },
  { type: 'output', offset: 3, bytes: Buffer.from('abc') },
  { type: 'output', offset: null, bytes: Buffer.from('lost') },
  { type: 'resized', offset: 6, size: { cols: 100, rows: 30 } },
  { type: 'end', offset: 6 },
];

test('frames are read whole, in whatever pieces they come, and unknown ones are skipped', () => {
  for (const size of [1, 2, 3, 7, stream.length]) {
    const reader = new FrameReader();
    const found: Incoming[] = [];
    for (let at = 0; at < stream.length; at += size)
      found.push(...reader.read(stream.subarray(at, at + size)));
    assert.deepEqual(found, told, `pieces of ${size}`);
  }
});

test('an invalid stream is refused: a frame that is too large, or too short for its kind', () => {
  assert.throws(() => [...new FrameReader().read(Buffer.from('HTTP/1.1 400'))], RangeError);
  assert.throws(() => [...new FrameReader().read(frame('h', '01'))], RangeError);
  assert.throws(() => [...new FrameReader().read(frame('o', '01'))], RangeError);
});

function frame(type: string, ...body: string[]): Buffer {
  const bytes = Buffer.from(body.join(''), 'hex');
  const header = Buffer.alloc(5);
  header.write(type, 0, 'latin1');
  header.writeUInt32LE(bytes.length, 1);
  return Buffer.concat([header, bytes]);
}
