import assert from 'node:assert/strict';
import { chmodSync, existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { diagnose } from '../../src/api/doctor.ts';
import type { Finding } from '../../src/engine/doctor/finding.ts';
import { notOnWindows } from '../support/not-on-windows.ts';
import { World } from '../support/world.ts';

/** What is found of one kind. */
async function finding(dir: string, check: string): Promise<Finding> {
  const { findings } = await diagnose({ dir });
  const found = findings.find((one) => one.check === check);
  assert.ok(found, `expected a finding of ${check}`);
  return found;
}

test('looking changes nothing: no folder is made, no task is settled, no file is left', async () => {
  await using world = new World();
  await diagnose({ dir: world.dir });
  assert.ok(!existsSync(world.dir));
  const session = await world.session();
  await session.run('true');
  await session.close();
  const before = readdirSync(world.dir, { recursive: true });
  await diagnose({ dir: world.dir });
  assert.deepEqual(readdirSync(world.dir, { recursive: true }), before);
});

test(
  'a finding is mended only by its mend, which says what it did',
  notOnWindows('files have no modes there'),
  async () => {
    await using world = new World();
    await world.session();
    chmodSync(world.dir, 0o755);
    const { level, mend } = await finding(world.dir, 'store');
    assert.deepEqual([level, statSync(world.dir).mode & 0o777], ['problem', 0o755]);
    assert.equal(await mend?.(), `${world.dir} is closed to others now`);
    assert.deepEqual(
      [statSync(world.dir).mode & 0o777, (await finding(world.dir, 'store')).level],
      [0o700, 'ok'],
    );
  },
);

test('a session that got a task after the look is not removed', async () => {
  await using world = new World();
  const session = await world.session('soon');
  await world.session('never');
  const { level, message, mend } = await finding(world.dir, 'sessions');
  assert.equal(level, 'warning');
  assert.match(message, /^2 sessions have no tasks any more: /);
  const task = await session.spawn('sleep 1000');
  assert.equal(await mend?.(), '1 session is removed');
  assert.equal((await session.task(task.id).kill({ graceMs: 0 })).status, 'killed');
  assert.equal(readdirSync(join(world.dir, 'sessions')).length, 1);
});

test('leftovers of a task that a supervisor settled are found while they live, and not when they are gone', async () => {
  await using world = new World();
  const session = await world.session();
  const { task } = await session.run('sleep 1000 & true');
  const { level, mend } = await finding(world.dir, 'leftovers');
  assert.equal(level, 'warning');
  assert.equal(await mend?.(), '1 task is stopped');
  assert.deepEqual(world.pidsOf(task.id), []);
  assert.equal((await finding(world.dir, 'leftovers')).level, 'ok');
});
