import assert from 'node:assert/strict';
import {
  existsSync,
  lstatSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { test } from 'node:test';
import { OutliveError, type OutputMark, type Task } from '../../../src/index.ts';
import { writtenAt } from '../../../src/model/marks.ts';
import { letRetentionBeDue } from '../../support/retention.ts';
import { World, waitFor } from '../../support/world.ts';

/** Prints the time four times, a little over a second apart, twice in a row each time. */
const clock = 'for i in 1 2 3 4; do date +%s%3N; date +%s%3N; sleep 1.1; done';

/** A time of the kernel's for files may be some milliseconds old. */
const coarseMs = 15;

/** A shim looks after four seconds of silence, or one more. */
const mostMs = 5_500;

/** Each line that the clock has printed: where it begins, and when it says that it was printed. */
function linesOf(text: string): { offset: number; at: number }[] {
  return [...text.matchAll(/^\d+$/gm)].map((match) => ({ offset: match.index, at: Number(match[0]) }));
}

async function checkTimes(task: Task): Promise<readonly OutputMark[]> {
  const { text, offset: begin } = await task.read();
  const lines = linesOf(text).map(({ offset, at }) => ({ offset: begin + offset, at }));
  assert.equal(lines.length, 8);
  const marks = await task.marks();
  for (const { offset, at } of lines) {
    const told = writtenAt(marks, offset) ?? 0;
    assert.ok(told >= at - coarseMs && told <= at + mostMs, `${told} for ${at}`);
  }
  for (const { at } of lines) {
    const since = await task.read({ since: at });
    const expected = lines.filter((line) => line.at >= at).map((line) => line.at);
    assert.deepEqual(
      linesOf(since.text)
        .map((line) => line.at)
        .slice(-expected.length),
      expected,
    );
  }
  return marks;
}

test('the time of output is known to the second, with a file and through a pipe', async () => {
  await using world = new World();
  const session = await world.session();
  const tasks = await Promise.all(
    (['file', 'pipe'] as const).map(async (output) => await session.spawn(clock, { output })),
  );
  for (const task of tasks) {
    const end = await task.wait();
    const marks = await checkTimes(task);
    assert.ok(marks.length >= 3, `${marks.length} marks`);
    assert.equal(marks.at(-1)?.offset, end.output.bytes);
    assert.equal(lstatSync(`${end.output.path}.marks`).mode & 0o777, 0o600);
    const { endedAt } = end;
    assert.equal((await task.read({ since: (endedAt ?? 0) + 1 })).text, '');
    assert.equal((await task.read({ since: 0 })).offset, 0);
  }
});

test('a separate stderr has its own times', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('echo out; sleep 1.2; echo err >&2; sleep 1.2; echo err >&2', {
    separate: true,
  });
  await task.wait();
  const [out, err] = [await task.marks(), await task.marks({ stream: 'stderr' })];
  assert.deepEqual([out.at(-1)?.offset, err.at(-1)?.offset], [4, 8]);
  assert.ok((err[0]?.at ?? 0) - (out[0]?.at ?? 0) >= 1_000);
  const second = await task.read({ stream: 'stderr', since: (err[0]?.at ?? 0) + 1 });
  assert.deepEqual([second.text, second.offset], ['err\n', 4]);
});

test('a short task has no file of marks, and its times are those of its output', async () => {
  await using world = new World();
  const session = await world.session();
  const { snapshot } = await session.run('echo one; echo two');
  const task = session.task(snapshot.taskId);
  assert.equal(existsSync(`${snapshot.output.path}.marks`), false);
  const [mark, ...more] = await task.marks();
  assert.deepEqual([mark?.offset, more], [8, []]);
  assert.ok(Math.abs((mark?.at ?? 0) - (snapshot.output.lastWrittenAt ?? 0)) <= coarseMs);
  assert.equal((await task.read({ since: (mark?.at ?? 0) - 1 })).text, 'one\ntwo\n');
  assert.equal((await task.read({ since: (mark?.at ?? 0) + 2 * coarseMs })).text, '');
});

test('marks are removed with their task, and damaged ones do no harm', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn(clock);
  const { output } = await task.wait();
  const path = `${output.path}.marks`;
  const whole = readFileSync(path);
  for (const content of [
    Buffer.alloc(0),
    whole.subarray(0, 20),
    Buffer.alloc(100_000, 255),
    whole.reverse(),
  ]) {
    writeFileSync(path, content);
    assert.equal((await task.read({ since: 0 })).bytes.length, output.bytes);
    assert.equal((await task.marks()).at(-1)?.offset, output.bytes);
  }
  rmSync(path);
  writeFileSync(`${world.base}/elsewhere`, whole);
  symlinkSync(`${world.base}/elsewhere`, path);
  assert.equal((await task.marks()).length, 1);
  await session.prune({ olderThanMs: 0 });
  assert.deepEqual(
    world.files().filter((file) => file.includes(task.id)),
    [],
  );
  assert.ok(existsSync(`${world.base}/elsewhere`));
});

test('marks without a task are removed', async () => {
  await using world = new World();
  const session = await world.session();
  const { snapshot } = await session.run('true');
  const old = new Date(Date.now() - 120_000);
  const strays = ['bgb-000000010000.out.marks', 'bgb-000000010000.err.fifo'].map((name) =>
    snapshot.output.path.replace(/[^/]+$/, name),
  );
  const { utimesSync } = await import('node:fs');
  for (const path of strays) {
    writeFileSync(path, '');
    utimesSync(path, old, old);
  }
  letRetentionBeDue(world.dir);
  await (await world.store()).session('test');
  await waitFor(() => strays.every((path) => !existsSync(path)), 'the strays to be removed');
});

test('after an erasure the times are those of the later output', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn(`seq 100; sleep 1.2; seq 100; sleep 1.2; : > /dev/stdout; ${clock}`);
  await task.wait();
  await checkTimes(task);
});

test('an invalid time, and a time together with an offset, are refused', async () => {
  await using world = new World();
  const session = await world.session();
  const { snapshot } = await session.run('echo one');
  const task = session.task(snapshot.taskId);
  for (const options of [
    { since: 1, offset: 0 },
    { since: -1 },
    { since: Number.NaN },
    { since: 'now' as never },
  ])
    await assert.rejects(
      task.read(options),
      (error) => error instanceof OutliveError && error.code === 'INVALID_ARGUMENT',
    );
  truncateSync(snapshot.output.path, 0);
  assert.deepEqual(await task.marks(), []);
  assert.equal((await task.read({ since: 1 })).text, '');
});
