import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { join, normalize } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { onWindows } from '../../support/processes.ts';
import { root } from '../../support/repository.ts';
import { World, waitFor } from '../../support/world.ts';

/** What was told on the channels, in its order. */
class Heard implements Disposable {
  readonly list: (readonly [name: string, message: Record<string, unknown>])[] = [];
  readonly #hear = (message: unknown, name: string | symbol): void => {
    this.list.push([String(name), message as Record<string, unknown>]);
  };

  constructor() {
    for (const name of names) subscribe(name, this.#hear);
  }

  of(taskId: string): string[] {
    return this.list.filter(([, message]) => message.taskId === taskId).map(([name]) => name);
  }

  message(name: string): Record<string, unknown> | undefined {
    return this.list.find(([found]) => found === name)?.[1];
  }

  [Symbol.dispose](): void {
    for (const name of names) unsubscribe(name, this.#hear);
  }
}

const names = ['outlive:spawn', 'outlive:end', 'outlive:stop', 'outlive:signal'];

test('a spawn and an end are each published once, with what a monitor needs', async () => {
  await using world = new World();
  const session = await world.session();
  using heard = new Heard();
  const task = await session.spawn('exit 3', { name: 'build', env: { TOKEN: 'hunter2' } });
  await task.wait();
  const place = { dir: normalize(world.dir), sessionId: 'test', taskId: task.id };
  assert.deepEqual(heard.of(task.id), ['outlive:spawn', 'outlive:end']);
  assert.deepEqual(heard.message('outlive:spawn'), { ...place, name: 'build', command: 'exit 3' });
  const { durationMs, ...end } = heard.message('outlive:end') ?? {};
  assert.deepEqual(end, { ...place, status: 'failed', statusReason: null, exitCode: 3 });
  assert.equal(typeof durationMs, 'number');
  assert.doesNotMatch(JSON.stringify(heard.list), /hunter2/);
});

test('a stop is published by the process that requests it, and the end by each process that follows the task', async () => {
  await using world = new World();
  const session = await world.session();
  using heard = new Heard();
  const task = await session.spawn('sleep 1000');
  await waitFor(() => task.snapshot().status === 'running', 'a start');
  const other = await world.session();
  await other.task(task.id).kill({ graceMs: 0, killSignal: 'SIGKILL' });
  await waitFor(() => heard.of(task.id).filter((name) => name === 'outlive:end').length === 2, 'two ends');
  assert.equal(heard.of(task.id).filter((name) => name === 'outlive:stop').length, 1);
  const place = { dir: normalize(world.dir), sessionId: 'test', taskId: task.id };
  assert.deepEqual(heard.message('outlive:stop'), {
    ...place,
    cause: 'kill',
    killSignal: 'SIGKILL',
    graceMs: 0,
  });
  // It is told to read its log by a signal; on Windows it is ended by its job.
  const signals = heard.list.filter(([name]) => name === 'outlive:signal').map(([, { pid }]) => pid);
  assert.ok(onWindows || signals.includes(task.snapshot().shimPid));
});

test('for a task of another process no spawn is published, but its end is', async () => {
  await using world = new World();
  const spawner = await world.session();
  const task = await spawner.spawn('sleep 1000');
  await spawner.close();
  using heard = new Heard();
  const session = await world.session();
  await session.task(task.id).kill({ graceMs: 0 });
  assert.deepEqual(heard.of(task.id), ['outlive:stop', 'outlive:end']);
});

test('a refused spawn is not published', async () => {
  await using world = new World();
  const session = await world.session('test', { maxRunning: 1 });
  const task = await session.spawn('sleep 1000');
  using heard = new Heard();
  await assert.rejects(session.spawn('true'), { code: 'TASK_LIMIT' });
  await assert.rejects(session.spawn([]), { code: 'INVALID_COMMAND' });
  assert.deepEqual(
    heard.list.filter(([name]) => name === 'outlive:spawn'),
    [],
  );
  await task.kill({ graceMs: 0 });
});

test('NODE_DEBUG=outlive prints facts, checks, stops and ends, without commands and values of variables', async () => {
  await using world = new World();
  const code = `
    import { openStore } from ${JSON.stringify(pathToFileURL(join(root, 'build/src/index.js')).href)};
    const store = await openStore({ dir: process.argv[1] });
    const session = await store.session('debugged');
    const task = await session.spawn('sleep 1000 # swordfish', { env: { TOKEN: 'hunter2' } });
    await task.kill({ graceMs: 0 });
    await (await session.spawn('true')).wait();
    console.log(task.id);
    await store.close();`;
  const run = (env: Record<string, string>): Promise<{ stdout: string; stderr: string }> =>
    new Promise((resolve, reject) => {
      const words = ['--input-type=module', '-e', code, world.dir];
      execFile(process.execPath, words, { env: { ...process.env, ...env } }, (error, stdout, stderr) =>
        error ? reject(error) : resolve({ stdout: stdout.trim(), stderr }),
      );
    });
  const { stdout: id, stderr } = await run({ NODE_DEBUG: 'outlive' });
  for (const line of [
    `${id}: appended: spec`,
    `${id} of session "debugged" was started`,
    `${id}: appended: stop`,
    `stopping ${id}: kill, SIGTERM and a grace of 0 ms`,
    `${id} has ended: killed kill`,
  ])
    assert.ok(stderr.includes(line), `${line}\n${stderr}`);
  // A kill may settle what it has ended before anybody reconciles it; what ends by itself is noticed.
  assert.match(stderr, /reconciled: \w+/);
  assert.doesNotMatch(stderr, /hunter2|swordfish/);
  assert.equal((await run({})).stderr, '');
});
