import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { openStore } from '../../../src/index.ts';
import { factOf, hasFact } from '../../support/logs.ts';
import { orphanTask } from '../../support/orphans.ts';
import { commandLineOf } from '../../support/processes.ts';
import { untilPrinted } from '../../support/ready.ts';
import { letRetentionBeDue } from '../../support/retention.ts';
import { windowsTest } from '../../support/windows-test.ts';
import { fixture, isLive, World, waitFor } from '../../support/world.ts';

const library = new URL('../../../src/index.js', import.meta.url).href;
const limit = { maxOutputBytes: 100_000, graceMs: 200 };

function flood(world: World): string {
  return `until [ -e ${world.base}/go ]; do sleep 0.02; done; yes | head -c 10M; sleep 1000`;
}

windowsTest('a keeper that is killed is started again, and the limit holds', async () => {
  await using world = new World();
  const taskId = await orphanTask(world, flood(world), limit);
  const first = await untilKept(world);
  await killNow(first);
  const second = await untilKept(world, [first]);
  writeFileSync(`${world.base}/go`, '');
  await waitFor(() => hasFact(world.logOf(taskId), 'outcome'), 'the end');
  assert.equal(factOf(world.logOf(taskId), 'stop').by?.pid, second);
  assert.equal(factOf(world.logOf(taskId), 'outcome').reason, 'output_limit');
});

windowsTest('a keeper that is killed in the middle of a stop is replaced, and the stop goes on', async () => {
  await using world = new World();
  const command = `trap '' TERM; ${flood(world)}`;
  const taskId = await orphanTask(world, command, { ...limit, graceMs: 1_500 });
  const keeper = await untilKept(world);
  writeFileSync(`${world.base}/go`, '');
  await waitFor(() => hasFact(world.logOf(taskId), 'stop'), 'the stop');
  await killNow(keeper);
  await waitFor(() => hasFact(world.logOf(taskId), 'outcome'), 'the end');
  assert.equal(factOf(world.logOf(taskId), 'outcome').reason, 'output_limit');
  assert.deepEqual(world.pidsOf(taskId), []);
});

windowsTest(
  'when a keeper is killed with its sentinel, nothing is lost, and its mark blocks no other keeper',
  async () => {
    await using world = new World();
    const first = await orphanTask(world, flood(world), limit);
    const keeper = await untilKept(world);
    for (const pid of sentinels(world)) await killNow(pid);
    await killNow(keeper);
    assert.ok(!hasFact(world.logOf(first), 'stop'));
    const second = await orphanTask(world, 'sleep 1000', limit);
    const next = await untilKept(world);
    const marks = (): string[] => world.files().filter((path) => path.startsWith('/keeper-'));
    await waitFor(() => marks().length === 1, 'the mark of the dead to be removed');
    writeFileSync(`${world.base}/go`, '');
    await waitFor(() => hasFact(world.logOf(first), 'outcome'), 'the end');
    assert.equal(factOf(world.logOf(first), 'stop').by?.pid, next);
    assert.ok(!hasFact(world.logOf(second), 'stop'), 'the other one is left alone');
  },
);

windowsTest('when the last task has ended the keeper ends, and leaves no process and no file', async () => {
  await using world = new World();
  await orphanTask(world, `until [ -e ${world.base}/go ]; do sleep 0.05; done`);
  await untilKept(world);
  const marks = (): string[] => world.files().filter((path) => path.includes('keeper'));
  await waitFor(() => marks().length === 1, 'the mark');
  writeFileSync(`${world.base}/go`, '');
  await waitFor(() => world.keepers().length === 0, 'the keeper to end');
  assert.deepEqual(marks(), []);
});

windowsTest('a store that is closed without running tasks leaves no sentinel', async () => {
  await using world = new World();
  const store = await openStore({ dir: world.dir });
  await (await store.session('test')).run('true');
  await waitFor(() => sentinels(world).length === 1, 'the sentinel');
  await store.close();
  await waitFor(() => world.keepers().length === 0, 'the sentinel to end');
});

windowsTest(
  'the sentinel for the tasks of a task is not stopped with that task, and is not its leftover',
  async () => {
    await using world = new World();
    const session = await world.session('outer');
    await (await session.spawn('true')).wait();
    await waitFor(() => sentinels(world).length === 1, "the outer spawner's sentinel");
    const [ours] = sentinels(world);
    const task = await session.spawn(fixture('spawns-a-task.mjs', library, world.dir));
    await untilPrinted(task, 'spawned');
    await waitFor(() => sentinels(world).length === 2, "the inner spawner's sentinel");
    const [inner] = sentinels(world).filter((pid) => pid !== ours);
    const { status, leftovers } = await task.kill({ graceMs: 100 });
    assert.deepEqual([status, leftovers], ['killed', []]);
    assert.ok(isLive(inner ?? 0));
    await untilKept(world);
  },
);

windowsTest(
  'the keeper applies the byte limit of the store, and the retention that tasks were spawned with',
  async () => {
    await using world = new World();
    const store = await openStore({ dir: world.dir, maxStoreBytes: 250_000 });
    const kept = await store.session('kept', { retentionMs: null });
    const aged = await store.session('aged', { retentionMs: 1 });
    const ends = async (session: typeof kept): Promise<string> => {
      const task = await session.spawn('head -c 100000 /dev/zero');
      await task.wait();
      return task.id;
    };
    const old = await ends(aged);
    const [first, second] = [await ends(kept), await ends(kept), await ends(kept)];
    await kept.spawn('sleep 1000');
    await store.close();
    letRetentionBeDue(world.dir);
    const ids = (): string[] => world.taskIds();
    await waitFor(() => !ids().includes(old) && !ids().includes(first), 'the keeper');
    assert.ok(ids().includes(second));
  },
);

/** The keepers of a world's stores: Node processes, without their sentinels. */
function nodeKeepers(world: World): number[] {
  return world.keepers().filter((pid) => {
    // Read once: a process that ends meanwhile has no command line.
    const line = commandLineOf(pid)?.replaceAll('\\', '/') ?? '';
    return line.includes('/bin/keeper.js') && !line.includes('outlive sentinel');
  });
}

function sentinels(world: World): number[] {
  return world.keepers().filter((pid) => commandLineOf(pid)?.includes('outlive sentinel'));
}

/** Waits for the one keeper of a world's store, which works when it has been there for a moment. */
async function untilKept(world: World, except: readonly number[] = []): Promise<number> {
  let found: number[] = [];
  await waitFor(() => {
    found = nodeKeepers(world).filter((pid) => !except.includes(pid));
    return found.length === 1;
  }, 'a keeper');
  return found[0] ?? 0;
}

async function killNow(pid: number): Promise<void> {
  process.kill(pid, 'SIGKILL');
  await waitFor(() => !isLive(pid), `${pid} to be gone`);
}
