import assert from 'node:assert/strict';
import { test } from 'node:test';
import { notOnWindows } from '../../support/not-on-windows.ts';
import { World, waitFor } from '../../support/world.ts';

test('tail begins at a character, says what it left out, and ends where the output does', async () => {
  await using world = new World();
  const session = await world.session();
  const text = 'aü€😀'.repeat(5);
  const { task } = await session.run(`printf %s '${text}'`);
  for (let maxBytes = 1; maxBytes <= 60; maxBytes += 1) {
    const tail = await task.tail({ maxBytes });
    assert.ok(tail.bytes.length <= maxBytes);
    assert.ok(tail.bytes.length > maxBytes - 4 || tail.bytes.length === 50);
    assert.equal(tail.text, Buffer.from(text).subarray(tail.offset).toString());
    assert.ok(text.endsWith(tail.text) && !tail.text.includes('\ufffd'));
    assert.equal(tail.omittedBytes, 50 - tail.bytes.length);
    assert.equal(tail.nextOffset, 50);
    assert.equal(tail.more, false);
  }
});

test('the preview in a snapshot is cut at a character, too', async () => {
  await using world = new World();
  const session = await world.session('test', { previewBytes: 5 });
  const { snapshot } = await session.run('printf "😀😀😀"');
  assert.equal(snapshot.output.preview, '😀');
  assert.equal(snapshot.output.truncated, true);
  assert.equal(snapshot.output.bytes, 12);
  const short = await session.run('printf "😀"');
  assert.equal(short.snapshot.output.preview, '😀');
  assert.equal(short.snapshot.output.truncated, false);
});

test('the preview in a snapshot begins at a line start if it contains one', async () => {
  await using world = new World();
  const session = await world.session('test', { previewBytes: 6 });
  const cases: [string, string, boolean][] = [
    ['one\\ntwo\\n', 'two\n', true],
    ['1\\ntwo\\nx', 'two\nx', true],
    ['12\\n3\\n5', '12\n3\n5', false],
    ['12345\\n', '12345\n', false],
    ['123456\\n', '23456\n', true],
    ['x\\n12345\\n', '12345\n', true],
    ['1234567', '234567', true],
    ['x\\ny😀\\n', 'y😀\n', true],
  ];
  for (const [text, preview, truncated] of cases) {
    const { snapshot } = await session.run(`printf '${text}'`);
    assert.deepEqual([snapshot.output.preview, snapshot.output.truncated], [preview, truncated], text);
  }
});

test('an incomplete character of a running task is not shown, and an invalid one does not hide the rest', async () => {
  await using world = new World();
  const session = await world.session();
  const running = await session.spawn('printf "ok\\xe2\\x82"; sleep 1000');
  await waitFor(async () => (await running.read()).size === 4, 'the output');
  const tail = await running.tail();
  assert.equal(tail.text, 'ok');
  assert.equal(tail.nextOffset, 2);
  assert.equal(running.snapshot().output.preview, 'ok');
  const { output } = await session.run('printf "\\xe2\\x82 fine"');
  assert.equal(output.text, '\ufffd fine');
});

test(
  'the tail of 10 GB is right and costs only what it returns',
  notOnWindows('a file of 10 GB with a hole in it is made of blocks under Wine'),
  async () => {
    await using world = new World();
    const session = await world.session();
    const unlimited = { maxOutputBytes: null, keepOutputBytes: null };
    const command = 'truncate -s 10G "$(readlink /proc/$$/fd/1)"; echo "the end"';
    const { task, snapshot } = await session.run(command, unlimited);
    const size = 10 * 1024 ** 3 + 8;
    assert.equal(snapshot.output.bytes, size);
    assert.ok(snapshot.output.preview.endsWith('the end\n'));
    const times: number[] = [];
    for (let round = 0; round < 9; round += 1) {
      const begun = performance.now();
      const tail = await task.tail({ maxBytes: 4096 });
      times.push(performance.now() - begun);
      assert.equal(tail.bytes.length, 4096);
      assert.ok(tail.text.endsWith('\0the end\n'));
      assert.equal(tail.offset, size - 4096);
      assert.equal(tail.size, size);
    }
    // 2 ms are required, and benchmarked; reading the file would take seconds.
    assert.ok((times.sort((a, b) => a - b)[4] ?? 0) < 100, `${times}`);
    const middle = await task.read({ offset: 5 * 1024 ** 3, maxBytes: 3 });
    assert.deepEqual(middle.bytes, Buffer.alloc(3));
  },
);
