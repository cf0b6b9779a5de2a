import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fixture, isLive, World } from '../../support/world.ts';

function pidsIn(folder: string): number[] {
  return ['child', 'session', 'daemon'].map((name) => Number(readFileSync(join(folder, name), 'utf8')));
}

const commands = ['sleep 1001', 'sleep 1002', 'sleep 1003'];

test('the outcome and the completion name what the command left running, wherever it went', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn(fixture('leaves-processes.sh', world.base));
  const end = await task.wait({ ack: false });
  assert.deepEqual([end.status, end.exitCode], ['completed', 0]);
  assert.deepEqual(
    end.leftovers.map(({ pid, command }) => [pid, command]).sort(),
    pidsIn(world.base)
      .map((pid, n) => [pid, commands[n]])
      .sort(),
  );
  assert.ok(pidsIn(world.base).every(isLive));
  const [completion] = await session.pending();
  assert.deepEqual(completion?.leftovers, end.leftovers);
});

test('kill on an ended task stops its leftovers and does not change the outcome', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn(`${fixture('leaves-processes.sh', world.base)}; exit 7`);
  const end = await task.wait();
  const killed = await task.kill();
  assert.deepEqual(pidsIn(world.base).filter(isLive), []);
  assert.deepEqual(killed, { ...end, leftovers: [] });
  const log = readFileSync(world.logOf(task.id));
  assert.deepEqual(await task.kill(), killed);
  assert.deepEqual(readFileSync(world.logOf(task.id)), log);
});

test('a store that is opened later stops leftovers, too', async () => {
  await using world = new World();
  const session = await world.session();
  const { task } = await session.run(fixture('leaves-processes.sh', world.base));
  await session.close();
  const later = await world.session();
  assert.equal(later.task(task.id).snapshot().leftovers.length, 3);
  assert.deepEqual((await later.task(task.id).kill()).leftovers, []);
  assert.deepEqual(pidsIn(world.base).filter(isLive), []);
});

test('leftovers of a command that ran for a while are found, too', async () => {
  await using world = new World();
  const session = await world.session();
  const { snapshot } = await session.run('setsid sleep 1000 & sleep 2.1');
  assert.deepEqual(
    snapshot.leftovers.map(({ command }) => command),
    ['sleep 1000'],
  );
});

test('a command that leaves nothing has no leftovers, and a process that ended before it is none', async () => {
  await using world = new World();
  const session = await world.session();
  const { snapshot } = await session.run('sleep 0.01 & wait; (setsid true &); sh -c "exit 3" & wait');
  assert.deepEqual(snapshot.leftovers, []);
});
