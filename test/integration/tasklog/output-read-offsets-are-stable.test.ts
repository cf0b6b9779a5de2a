import assert from 'node:assert/strict';
import { test } from 'node:test';
import { World, waitFor } from '../../support/world.ts';

test('reading from offset to offset gives every byte once, in pieces of any size', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('seq 1 2000');
  await task.wait();
  const whole = Array.from({ length: 2000 }, (_, n) => `${n + 1}\n`).join('');
  for (const maxBytes of [1000, 4096, 100_000]) {
    const pieces: Buffer[] = [];
    let offset = 0;
    for (let more = true; more; ) {
      const chunk = await task.read({ offset, maxBytes });
      assert.equal(chunk.offset, offset);
      assert.equal(chunk.nextOffset, offset + chunk.bytes.length);
      assert.equal(chunk.size, whole.length);
      assert.equal(chunk.omittedBytes, 0);
      pieces.push(chunk.bytes);
      offset = chunk.nextOffset;
      more = chunk.more;
    }
    assert.equal(Buffer.concat(pieces).toString(), whole);
  }
});

test('output of a running task reads the same at the same offset, while the task writes and after its end', async () => {
  await using world = new World();
  const session = await world.session();
  const gate = `${world.base}/go`;
  const task = await session.spawn(
    `printf 'first €'; until [ -e ${gate} ]; do sleep 0.02; done; echo second`,
  );
  await waitFor(async () => (await task.read()).size === 9, 'the first words');
  const early = await task.read({ offset: 6 });
  assert.equal(early.text, '€');
  assert.equal(early.more, true);
  assert.equal((await task.read({ offset: 9 })).bytes.length, 0);
  assert.equal((await task.read({ offset: 9 })).more, true);
  await session.run(`touch ${gate}`);
  await task.wait();
  assert.equal((await task.read({ offset: 6, maxBytes: 3 })).text, '€');
  const rest = await task.read({ offset: early.nextOffset });
  assert.equal(rest.text, 'second\n');
  assert.equal(rest.more, false);
});

test('after the end there is nothing, and for an ended task no more will come', async () => {
  await using world = new World();
  const session = await world.session();
  const { task } = await session.run('echo hello');
  for (const offset of [6, 7, 1e12]) {
    const { bytes, size, more, nextOffset } = await task.read({ offset });
    assert.deepEqual([bytes.length, size, more, nextOffset], [0, 6, false, 6]);
  }
  for (const options of [{ offset: -1 }, { offset: Number.NaN }, { maxBytes: 0 }, { maxBytes: 0.5 }]) {
    await assert.rejects(task.read(options), { code: 'INVALID_ARGUMENT' }, JSON.stringify(options));
  }
});

test('an offset or a size that is not a whole number is refused', async () => {
  await using world = new World();
  const session = await world.session();
  const { task } = await session.run('echo hello');
  await assert.rejects(task.read({ offset: 1.5 }), { code: 'INVALID_ARGUMENT' });
  await assert.rejects(task.read({ maxBytes: 2.5 }), { code: 'INVALID_ARGUMENT' });
  await assert.rejects(task.tail({ maxBytes: 2.5 }), { code: 'INVALID_ARGUMENT' });
});

test('binary output is read byte for byte as it was written', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn(
    `node -e 'process.stdout.write(Buffer.from(Array.from({length: 1024}, (_, n) => n)))'`,
  );
  await task.wait();
  const bytes = Buffer.from(Array.from({ length: 1024 }, (_, n) => n));
  assert.deepEqual((await task.read()).bytes, bytes);
  assert.deepEqual((await task.tail({ maxBytes: 1024 })).bytes, bytes);
  assert.deepEqual((await task.read({ offset: 128, maxBytes: 1 })).bytes, Buffer.from([128]));
  const followed: Buffer[] = [];
  for await (const chunk of task.follow()) followed.push(chunk.bytes);
  assert.deepEqual(Buffer.concat(followed), bytes);
});
