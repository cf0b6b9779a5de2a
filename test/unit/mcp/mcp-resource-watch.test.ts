import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { outputUri, taskUri } from '../../../src/mcp/resources/uris.ts';
import { ResourceWatch, type WatchedTasks } from '../../../src/mcp/resources/watch.ts';

const [one, two] = ['bgb-000000010000', 'bgb-000000020000'];

/** A session whose changes are told by hand; `watchers` are those who are told. */
function sessionOf(id: string) {
  const watchers = new Set<{ put(taskId: string): void; fail(error: Error): void }>();
  const session: WatchedTasks = {
    session: { id },
    async *changes(abortSignal) {
      const told: string[] = [];
      let failure: Error | undefined;
      let wake = (): void => undefined;
      const watcher = {
        put: (taskId: string) => {
          told.push(taskId);
          wake();
        },
        fail: (error: Error) => {
          failure = error;
          wake();
        },
      };
      abortSignal.addEventListener('abort', () => wake(), { once: true });
      watchers.add(watcher);
      try {
        while (!abortSignal.aborted) {
          if (failure !== undefined) throw failure;
          const next = told.shift();
          if (next !== undefined) yield next;
          else await new Promise<void>((resolve) => (wake = resolve));
        }
      } finally {
        watchers.delete(watcher);
      }
    },
  };
  return { session, watchers };
}

const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
};

function watchOf() {
  const states = new Map<string, string>();
  const told: string[] = [];
  const watch = new ResourceWatch(
    (uri) => states.get(uri) ?? null,
    (uri) => told.push(uri),
  );
  return { states, told, watch };
}

test('sessions are watched from the first subscription to the end of the last', async () => {
  const { watch } = watchOf();
  const [first, later] = [sessionOf('first'), sessionOf('later')];
  watch.follow(first.session);
  watch.follow(first.session);
  await settled();
  assert.equal(first.watchers.size, 0);
  watch.add(taskUri(one), 'a');
  watch.add(outputUri(one), 'b');
  watch.follow(later.session);
  await settled();
  assert.deepEqual([first.watchers.size, later.watchers.size], [1, 1]);
  watch.remove('a');
  await settled();
  assert.equal(first.watchers.size, 1);
  watch.remove('b', outputUri(one));
  await settled();
  assert.deepEqual([first.watchers.size, later.watchers.size], [0, 0]);
  watch.add(taskUri(two), 'a');
  await settled();
  assert.deepEqual([first.watchers.size, later.watchers.size], [1, 1]);
  watch.close();
  await settled();
  assert.deepEqual([first.watchers.size, later.watchers.size], [0, 0]);
});

test('only changed resources with a subscriber are reported, once', async () => {
  const { states, told, watch } = watchOf();
  const { session, watchers } = sessionOf('s');
  states.set(taskUri(one), 'running');
  watch.follow(session);
  watch.add(taskUri(one), 'a');
  watch.add(taskUri(one), 'b');
  watch.add(outputUri(two), 'a');
  await settled();
  const put = (taskId: string): void => {
    for (const watcher of watchers) watcher.put(taskId);
  };
  // The first listing, which has nothing new.
  put(one);
  put('bgb-000000030000');
  await settled();
  assert.deepEqual(told, []);
  states.set(taskUri(one), 'killed').set(outputUri(one), '7').set(outputUri(two), '8');
  put(one);
  put(two);
  put(one);
  await settled();
  assert.deepEqual(told, [taskUri(one), outputUri(two)]);
  watch.close();
});

test('after a failure a session is watched again, and changes meanwhile are reported', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const { states, told, watch } = watchOf();
    const { session, watchers } = sessionOf('s');
    states.set(taskUri(one), 'running');
    watch.follow(session);
    watch.add(taskUri(one), 'a');
    await settled();
    const failed = Object.assign(new Error('EIO: i/o error, scandir'), { code: 'EIO', syscall: 'scandir' });
    for (const watcher of watchers) watcher.fail(failed);
    await settled();
    assert.equal(watchers.size, 0);
    states.delete(taskUri(one));
    mock.timers.tick(1_000);
    await settled();
    assert.deepEqual([watchers.size, told], [1, [taskUri(one)]]);
    watch.close();
    await settled();
    assert.equal(watchers.size, 0);
  } finally {
    mock.timers.reset();
  }
});
