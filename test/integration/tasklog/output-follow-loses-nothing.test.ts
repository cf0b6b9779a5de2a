import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Task } from '../../../src/index.ts';
import { fixture, World } from '../../support/world.ts';

async function sumOf(task: Task, offset = 0): Promise<string> {
  const hash = createHash('sha256');
  let expected = offset;
  for await (const chunk of task.follow({ offset })) {
    assert.equal(chunk.offset, expected);
    expected = chunk.nextOffset;
    hash.update(chunk.bytes);
  }
  return hash.digest('hex');
}

function sumOfFile(path: string, offset = 0): string {
  return createHash('sha256').update(readFileSync(path).subarray(offset)).digest('hex');
}

test('several followers of a flood each get every byte once, and end with the task', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn(fixture('floods-stdout.mjs', '20000000'));
  const followers = [sumOf(task), sumOf(task), sumOf(task, 1_000_003)];
  const other = (await world.session()).task(task.id);
  const sums = await Promise.all([...followers, sumOf(other)]);
  const { output, status } = task.snapshot();
  assert.equal(status, 'completed');
  assert.equal(output.bytes, 20_000_000);
  const whole = sumOfFile(output.path);
  assert.deepEqual(sums, [whole, whole, sumOfFile(output.path, 1_000_003), whole]);
});

test('followed text is never cut within a character', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn(fixture('writes-half-characters.mjs'));
  let text = '';
  for await (const chunk of task.follow()) {
    assert.doesNotMatch(chunk.text, /\ufffd/);
    text += chunk.text;
  }
  assert.equal(text, '€'.repeat(30_000));
});

test('a separate stderr is followed on its own', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('for i in 1 2 3; do echo out$i; echo err$i >&2; sleep 0.02; done', {
    separate: true,
  });
  let text = '';
  for await (const chunk of task.follow({ stream: 'stderr' })) text += chunk.text;
  assert.equal(text, 'err1\nerr2\nerr3\n');
});
