import assert from 'node:assert/strict';
import { chmodSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Session, TaskSnapshot } from '../../../src/index.ts';
import { factsOf } from '../../support/logs.ts';
import { isLive, quote, World, waitFor } from '../../support/world.ts';

async function end(session: Session, command: string): Promise<TaskSnapshot> {
  return (await session.run(command, { waitMs: 20_000 })).snapshot;
}

test('erased output is reported when a command erases its own output', async () => {
  await using world = new World();
  const session = await world.session();
  const words = `${world.base}/words`;
  const program = `${world.base}/program.c`;
  const script = `${world.base}/script`;
  writeFileSync(words, 'b\na\n');
  writeFileSync(program, 'int one;\n');
  writeFileSync(script, '#!/bin/sh\necho inside > /dev/stderr\n');
  chmodSync(script, 0o700);
  const commands = [
    'echo one; echo two > /dev/stderr; echo three',
    'echo one; echo two > /dev/stdout; echo three',
    'echo one; seq 3 | tee /dev/stderr; echo three',
    `echo one; sort -o /dev/stdout ${quote(words)}; echo three`,
    `echo one; gcc -E -P -x c -o /dev/stdout ${quote(program)}; echo three`,
    'echo one; curl -sS -D /dev/stderr file:///dev/null; echo three',
    `echo one; ${quote(script)}; echo three`,
    'seq 1000; echo two > /proc/self/fd/1',
  ];
  for (const command of commands) {
    const { output, status } = await end(session, command);
    assert.equal(status, 'completed', command);
    assert.doesNotMatch(readFileSync(output.path, 'utf8'), /^one$/m, command);
    assert.notEqual(output.erasedBytes, 0, command);
  }
});

test('a command that appends to its output, or only reads it, erases nothing', async () => {
  await using world = new World();
  const session = await world.session();
  // The shim sees the first line before the file is opened anew, since it takes a moment until then.
  const commands = [
    'seq 1000; echo two >&2; echo three',
    'echo one; sleep 0.2; echo two >> /dev/stderr; echo three',
    'echo one; sleep 0.2; echo two | tee -a /dev/stdout; echo three',
    'echo one > /dev/stdout; echo two',
    'exec 3>/dev/stdout; echo one >&3',
    'echo one; cat /proc/self/fd/1 2>/dev/null; cat < /dev/stdout 2>/dev/null; echo three',
    'true',
  ];
  for (const command of commands) assert.equal((await end(session, command)).output.erasedBytes, 0, command);
});

test('bytes that a command skips in its output were never written, and do not count as erased', async () => {
  await using world = new World();
  const session = await world.session();
  for (const bits of [42, 43]) {
    const move = `os.write(1, b"one\\n"); os.lseek(1, 1 << ${bits}, 0)`;
    const command = `sleep 0.2; python3 -c 'import os; ${move}'`;
    const { output, exitCode } = await end(session, command);
    assert.deepEqual([exitCode, output.erasedBytes, output.bytes], [0, 0, 4], `2 to the power of ${bits}`);
  }
});

test('for a long output that ends with an erasure, the number of lost bytes is known', async () => {
  await using world = new World();
  const session = await world.session();
  const size = 3_893;
  for (const command of [
    'seq 1000; : > /dev/stdout',
    'seq 1000; sleep 0.2; echo two > /dev/stderr; seq 2000',
  ]) {
    const { output } = await end(session, command);
    assert.equal(output.erasedBytes, size, command);
  }
});

test('an erasure is reported while the task runs, for each stream', async () => {
  await using world = new World();
  const session = await world.session();
  const command = 'echo out; echo err1 >&2; sleep 0.2; echo err2 > /dev/stderr; sleep 1000';
  const task = await session.spawn(command, { separate: true });
  await waitFor(() => task.snapshot().output.erasedBytes === 5, 'the word of it');
  const erased = factsOf(world.logOf(task.id)).filter(({ fact }) => fact === 'erased');
  assert.deepEqual(
    erased.map((fact) => fact.fact === 'erased' && [fact.stream, fact.bytes]),
    [['stderr', 5]],
  );
  await task.kill({ graceMs: 100 });
});

test('output that another process truncates or overwrites is noticed at the next check', async () => {
  await using world = new World();
  const session = await world.session();
  const command = 'seq 1000; until [ -e $OUTLIVE_TEST_GO ]; do sleep 0.02; done; seq 1001 1100; sleep 1000';
  for (const length of [100, 0]) {
    const go = `${world.base}/go-${length}`;
    const task = await session.spawn(command, { env: { OUTLIVE_TEST_GO: go } });
    const { path } = task.snapshot().output;
    await waitFor(() => task.snapshot().output.bytes === 3_893, 'the first lines');
    // The shim looks each second while something comes.
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    truncateSync(path, length);
    writeFileSync(go, '');
    await waitFor(() => task.snapshot().output.erasedBytes === 3_893, 'the word of it');
    await task.kill({ graceMs: 100 });
  }
});

test('a task that keeps erasing its output gives only few facts', async () => {
  await using world = new World();
  const session = await world.session();
  const { taskId, output } = await end(session, 'for i in $(seq 300); do echo number $i > /dev/stderr; done');
  const erased = factsOf(world.logOf(taskId)).filter(({ fact }) => fact === 'erased');
  assert.notEqual(output.erasedBytes, 0);
  assert.ok(erased.length > 0 && erased.length < 20, `${erased.length} facts`);
});

test('sixteen tasks of a store watch their output at once, and the next one takes the slot of an ended one', async () => {
  await using world = new World();
  const session = await world.session();
  const wait = (name: string): string =>
    `until [ -e ${quote(`${world.base}/${name}`)} ]; do sleep 0.05; done`;
  const many = await Promise.all(
    Array.from({ length: 17 }, async () => await session.spawn(`echo ready; ${wait('go')}`)),
  );
  await waitFor(() => many.every((task) => task.snapshot().output.bytes > 0), 'all of them');
  // All slots are taken: what one of the others erases in one moment goes unnoticed.
  const erases = 'echo two > /dev/stderr; echo three';
  assert.equal((await end(session, `echo one; ${erases}`)).output.erasedBytes, 0);
  writeFileSync(`${world.base}/go`, '');
  // The place is free when the shim is gone, some milliseconds after its task.
  const ends = await Promise.all(many.map(async (task) => await task.wait()));
  await waitFor(() => ends.every(({ shimPid }) => !isLive(shimPid ?? 0)), 'the ends of the shims');
  assert.notEqual((await end(session, `echo one; ${erases}`)).output.erasedBytes, 0);
});
