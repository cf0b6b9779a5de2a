import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { SpawnOptions, Task } from '../../../src/index.ts';
import { World, waitFor } from '../../support/world.ts';

const lines = Buffer.from(Array.from({ length: 20_000 }, (_, n) => `line ${n + 1}\n`).join(''));
const command = `seq -f 'line %.0f' 1 20000`;
const keep = 10_000;

/** Runs the command, and waits until its output was cut. */
async function cutTask(world: World, options: SpawnOptions = {}): Promise<Task> {
  const session = await world.session();
  const task = await session.spawn(command, { keepOutputBytes: keep, ...options });
  const { output } = await task.wait();
  assert.equal(output.bytes, lines.length);
  await waitFor(() => statSync(output.path).size < lines.length, 'the cut');
  return task;
}

test('head and tail of a long output are kept, cut at line ends, with their offsets', async () => {
  await using world = new World();
  const task = await cutTask(world);
  const { output } = task.snapshot();
  const onDisk = statSync(output.path).size;
  assert.ok(onDisk <= keep + 200 && onDisk > keep - 200, `${onDisk}`);
  assert.equal(output.bytes, lines.length);
  assert.ok(output.preview.endsWith('line 20000\n') && output.truncated);

  const head = await task.read();
  assert.equal(head.offset, 0);
  assert.deepEqual(head.bytes, lines.subarray(0, head.nextOffset));
  assert.ok(head.text.endsWith('\n') && head.bytes.length <= keep / 2);
  assert.equal(head.more, true);

  const rest = await task.read({ offset: head.nextOffset });
  assert.equal(rest.omittedBytes, rest.offset - head.nextOffset);
  assert.deepEqual(rest.bytes, lines.subarray(rest.offset));
  assert.ok(rest.text.startsWith('line ') && rest.bytes.length <= keep / 2);
  assert.deepEqual([rest.nextOffset, rest.size, rest.more], [lines.length, lines.length, false]);
});

test('a read in the gap goes on after it and says how much is missing', async () => {
  await using world = new World();
  const task = await cutTask(world);
  const middle = await task.read({ offset: 100_000, maxBytes: 11 });
  assert.match(middle.text, /^line 19\d{3}$|^line 19\d{3}\n$/);
  assert.equal(middle.omittedBytes, middle.offset - 100_000);
  assert.deepEqual(middle.bytes, lines.subarray(middle.offset, middle.nextOffset));
  const late = await task.read({ offset: lines.length - 22 });
  assert.equal(late.text, 'line 19999\nline 20000\n');
  assert.equal(late.omittedBytes, 0);
  const tail = await task.tail({ maxBytes: 22 });
  assert.deepEqual([tail.text, tail.offset], ['line 19999\nline 20000\n', lines.length - 22]);
  assert.equal(tail.omittedBytes, tail.offset);
});

test('a tail that is longer than the kept end is only the kept end', async () => {
  await using world = new World();
  const task = await cutTask(world);
  const tail = await task.tail({ maxBytes: 100_000 });
  assert.deepEqual(tail.bytes, lines.subarray(tail.offset));
  assert.equal(tail.omittedBytes, tail.offset);
});

test('following yields head and tail, each at its offset', async () => {
  await using world = new World();
  const task = await cutTask(world);
  const chunks: [number, Buffer][] = [];
  for await (const { offset, bytes } of task.follow()) chunks.push([offset, bytes]);
  for (const [offset, bytes] of chunks)
    assert.deepEqual(bytes, lines.subarray(offset, offset + bytes.length));
  assert.equal(chunks.length, 2);
});

test('the file itself says where it was cut', async () => {
  await using world = new World();
  const task = await cutTask(world);
  const text = readFileSync(task.snapshot().output.path, 'utf8');
  assert.match(text, /\nline \d+\n\n\[outlive: \d+ bytes from offset \d+ were cut out\]\nline \d+\n/);
});

test('after a crash between the record of a cut and the cut, the whole output is read', async () => {
  await using world = new World();
  const task = await cutTask(world);
  const { path } = task.snapshot().output;
  writeFileSync(path, lines);
  const whole = await task.read({ maxBytes: 1e6 });
  assert.deepEqual(whole.bytes, lines);
  assert.equal(whole.omittedBytes, 0);
  assert.equal((await task.read({ offset: 100_000, maxBytes: 5 })).offset, 100_000);
  assert.deepEqual((await task.tail({ maxBytes: 50_000 })).bytes, lines.subarray(-50_000));
  assert.equal(task.snapshot().output.bytes, lines.length);
});

test('output within the limit, and output that leftovers may still write to, is not cut', async () => {
  await using world = new World();
  const session = await world.session();
  const short = await session.run(command, { keepOutputBytes: lines.length });
  const left = await session.run(`${command}; sleep 1000 &`, { keepOutputBytes: keep });
  const last = await session.run(command, { keepOutputBytes: keep });
  await waitFor(() => statSync(last.snapshot.output.path).size < lines.length, 'the cut');
  for (const { snapshot } of [short, left]) assert.equal(statSync(snapshot.output.path).size, lines.length);
});
