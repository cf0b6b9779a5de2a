import assert from 'node:assert/strict';
import { chmodSync, existsSync, readdirSync, statSync } from 'node:fs';
import { test } from 'node:test';
import { diagnose } from '../../../src/doctor/doctor.ts';
import type { DiagnoseProgress } from '../../../src/doctor/doctor-tasks.ts';
import type { Finding } from '../../../src/doctor/finding.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';
import { World } from '../../support/world.ts';

/** What is found of one kind. */
async function finding(dir: string, check: string): Promise<Finding> {
  const { findings } = await diagnose({ dir });
  const found = findings.find((one) => one.check === check);
  assert.ok(found, `expected a finding of ${check}`);
  return found;
}

test('an examination changes nothing: no folder is made, no task is settled, no file is left', async () => {
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
  'a finding is fixed only by its mend(), which says what it did',
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

test('leftovers of a task that a supervisor settled are found while they live, and not after that', async () => {
  await using world = new World();
  const session = await world.session();
  const { task } = await session.run('sleep 1000 & true');
  const { level, mend } = await finding(world.dir, 'leftovers');
  assert.equal(level, 'warning');
  assert.equal(await mend?.(), '1 task is stopped');
  assert.deepEqual(world.pidsOf(task.id), []);
  assert.equal((await finding(world.dir, 'leftovers')).level, 'ok');
});

test('the advice about leftovers names each of a few tasks; for many it only says what to type', async () => {
  await using world = new World();
  const session = await world.session();
  const ids: string[] = [];
  for (let i = 0; i < 2; i += 1) ids.push((await session.run('sleep 1000 & true')).task.id);
  const ofTwo = await finding(world.dir, 'leftovers');
  const [, named = ''] = / outlive kill (.+)$/.exec(ofTwo.advice ?? '') ?? [];
  assert.deepEqual(named.split(' ').sort(), ids.sort());
  for (let i = 0; i < 2; i += 1) await session.run('sleep 1000 & true');
  const ofFour = await finding(world.dir, 'leftovers');
  assert.match(ofFour.advice ?? '', /outlive kill TASK \.\.\.$/);
  assert.equal(await ofFour.mend?.(), '4 tasks are stopped');
});

test('progress is reported after each session', async () => {
  await using world = new World();
  for (const [id, count] of [
    ['a', 2],
    ['b', 1],
  ] as const) {
    const session = await world.session(id);
    for (let i = 0; i < count; i += 1) await session.run('true');
  }
  const told: DiagnoseProgress[] = [];
  await diagnose({ dir: world.dir, onProgress: (progress) => told.push(progress) });
  assert.deepEqual(
    told.map(({ sessions, ofSessions }) => [sessions, ofSessions]),
    [
      [1, 2],
      [2, 2],
    ],
  );
  assert.equal(told.at(-1)?.tasks, 3);
  const wrong = 3 as unknown as () => void;
  await assert.rejects(diagnose({ dir: world.dir, onProgress: wrong }), { code: 'INVALID_ARGUMENT' });
});

test('a task is inspected by its session, and not found in another one', async () => {
  await using world = new World();
  const store = await world.store();
  const { id } = await (await store.session('its own')).spawn('exit 3');
  await (await store.session('other')).run('true');
  assert.equal((await store.inspect(id, { sessionId: 'its own' })).snapshot.taskId, id);
  for (const sessionId of ['other', 'none'])
    await assert.rejects(store.inspect(id, { sessionId }), { code: 'TASK_NOT_FOUND' });
  await assert.rejects(store.inspect(id, { sessionId: '' }), { code: 'INVALID_ARGUMENT' });
  await assert.rejects(store.inspect('../../etc', { sessionId: 'other' }), { code: 'TASK_NOT_FOUND' });
});
