import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { join } from 'node:path';
import { test } from 'node:test';
import type { OutliveWarning, Session, Task } from '../../../src/index.ts';
import { currentSystem } from '../../../src/platform/current.ts';
import type { System } from '../../../src/platform/system.ts';
import { root } from '../../support/repository.ts';
import { World, waitFor } from '../../support/world.ts';

/** A mistake that was put into the program. */
interface Planted extends Disposable {
  readonly error: TypeError;
  /** How often it was met. */
  met: number;
}

/** Every mistake is another one: the same is told once a minute. */
let count = 0;

/** Puts a mistake into something that the engine asks the system for, until it is disposed of. */
async function plant(name: keyof System): Promise<Planted> {
  const system = (await currentSystem()) as unknown as Record<string, unknown>;
  const right = system[name];
  count += 1;
  const planted: Planted = {
    error: new TypeError(`a planted mistake ${count}`),
    met: 0,
    [Symbol.dispose]: () => {
      system[name] = right;
    },
  };
  system[name] = () => {
    planted.met += 1;
    throw planted.error;
  };
  return planted;
}

/** Collects what a world's store warns of. */
async function listen(world: World): Promise<OutliveWarning[]> {
  const found: OutliveWarning[] = [];
  const store = await world.store();
  store.on('warning', (warning) => found.push(warning));
  return found;
}

/** The store that the session is of has the listener, and so has every other one of the same folder. */
async function running(world: World, id = 'test'): Promise<{ session: Session; task: Task }> {
  const session = await world.session(id);
  const task = await session.spawn('sleep 1000');
  await waitFor(() => task.snapshot().status === 'running', 'the command to run');
  return { session, task };
}

/** Ends a command by a signal that nobody here has asked for. */
function end(task: Task): void {
  process.kill(task.snapshot().pid ?? 0, 'SIGKILL');
}

test('a bug in settling a task ends wait() with INTERNAL, and is reported; without it everything works', async () => {
  await using world = new World();
  const warnings = await listen(world);
  const { task } = await running(world);
  {
    using mistake = await plant('letGo');
    const { error } = mistake;
    const waiting = assert.rejects(task.wait(), {
      name: 'OutliveError',
      code: 'INTERNAL',
      cause: error,
      message:
        /^expected outlive to work; found a mistake in it when checking the task bgb-\w+: TypeError: a planted/,
    });
    end(task);
    await waiting;
    assert.deepEqual(warnings, [
      { doing: 'checking a task', error, dir: world.dir, sessionId: 'test', taskId: task.id },
    ]);
  }
  assert.equal((await task.wait()).exitSignal, 'SIGKILL');
  assert.match(world.takeWarnings(), /checking a task/);
});

for (const how of ['waitFor', 'waitAny', 'waitAll'] as const) {
  test(`such a bug makes ${how}() fail, too, unless the end is already on disk`, async () => {
    await using world = new World();
    const { session, task } = await running(world);
    {
      using _ = await plant('letGo');
      const options = { pattern: 'never' };
      const waiting = how === 'waitFor' ? task.waitFor(options) : session[how]([task], options);
      const answer = waiting.then(
        () => 'the end',
        (error) => error.code,
      );
      end(task);
      assert.match(await answer, /^(the end|INTERNAL)$/);
    }
    world.takeWarnings();
  });
}

test('a failure that repeats every second is reported once', async () => {
  await using world = new World();
  const warnings = await listen(world);
  const { task } = await running(world);
  {
    using mistake = await plant('letGo');
    end(task);
    await waitFor(() => mistake.met >= 3, 'three looks');
  }
  assert.equal(warnings.length, 1);
  world.takeWarnings();
});

test('a bug in a call that somebody waits for is that caller’s error', async () => {
  await using world = new World();
  const { session, task } = await running(world);
  {
    using mistake = await plant('isSuspended');
    await assert.rejects(session.tasks(), mistake.error);
    assert.throws(() => task.snapshot(), mistake.error);
  }
  assert.equal((await task.kill({ graceMs: 0 })).status, 'killed');
  world.takeWarnings();
});

test('a store reports only its own warnings; the channel reports those of every store', async () => {
  await using world = new World();
  const warnings = await listen(world);
  const others: OutliveWarning[] = [];
  (await world.store({ dir: join(world.base, 'other') })).on('warning', (warning) => others.push(warning));
  const heard: OutliveWarning[] = [];
  const hear = (message: unknown): void => void heard.push(message as OutliveWarning);
  subscribe('outlive:warning', hear);
  try {
    const { task } = await running(world);
    using mistake = await plant('letGo');
    end(task);
    await waitFor(() => mistake.met > 0 && warnings.length > 0, 'the warning');
    assert.equal(heard[0]?.dir, world.dir);
    assert.deepEqual(others, []);
  } finally {
    unsubscribe('outlive:warning', hear);
  }
  world.takeWarnings();
});

/** A program of its own, which nobody listens to; its stderr. */
async function alone(world: World, program: string, env: NodeJS.ProcessEnv): Promise<string> {
  const library = JSON.stringify(join(root, 'build/src/index.js'));
  const script = `
    import fs from 'node:fs';
    import { syncBuiltinESMExports } from 'node:module';
    const { openStore } = await import(${library});
    fs.watch = () => { throw new TypeError('a planted mistake'); };
    syncBuiltinESMExports();
    const store = await openStore({ dir: ${JSON.stringify(world.dir)} });
    ${program}
    const session = await store.session('test');
    if ((await session.run('exit 3')).snapshot.exitCode !== 3) throw new Error('expected 3');
    await store.close();`;
  const { NODE_OPTIONS: _, ...rest } = process.env;
  return await new Promise((resolve, reject) => {
    const args = ['--input-type=module', '-e', script];
    execFile(process.execPath, args, { env: { ...rest, ...env } }, (error, _stdout, stderr) =>
      error === null ? resolve(stderr) : reject(error),
    );
  });
}

test('without a listener a warning becomes a warning of the process, once', async () => {
  await using world = new World();
  const stderr = await alone(world, '', {});
  const warning =
    /OutliveWarning: watching a session failed: TypeError: a planted mistake\n(?:.*\n)*? +at fs\.watch/;
  assert.match(stderr, warning);
  assert.equal(stderr.split('OutliveWarning').length, 2, stderr);
  // Who listens decides what becomes of it.
  assert.equal(await alone(world, `store.on('warning', () => {});`, {}), '');
  assert.equal(await alone(world, `store.once('warning', () => {});`, {}), '');
  const subscribed = `(await import('node:diagnostics_channel')).subscribe('outlive:warning', () => {});`;
  assert.equal(await alone(world, subscribed, {}), '');
});

test('NODE_DEBUG=outlive prints warnings with their stacks, with and without listeners', async () => {
  await using world = new World();
  const stderr = await alone(world, `store.on('warning', () => {});`, { NODE_DEBUG: 'outlive' });
  assert.match(
    stderr,
    /^OUTLIVE \d+: watching a session failed: TypeError: a planted mistake: TypeError: .*\n +at fs\.watch/,
  );
});
