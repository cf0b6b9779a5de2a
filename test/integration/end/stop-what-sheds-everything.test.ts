import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Session, Task } from '../../../src/index.ts';
import { untilPrinted } from '../../support/ready.ts';
import { fixture, isLive, World, waitFor } from '../../support/world.ts';

const sheds = fixture('sheds-everything.sh');

/** Commands whose last process has an empty environment and a session of its own; each says `ready PID`. */
const commands = {
  'its parent lives': `${sheds} & sleep 300; true`,
  'its parent has shed everything as well, and lives': `env -i PATH="$PATH" setsid sh -c ${JSON.stringify(`${sheds} >&2 & wait`)} & sleep 300; true`,
  'its parent is gone': `(${sheds} &) ; sleep 300; true`,
};

for (const [what, command] of Object.entries(commands))
  test(`kill() ends what has left the group and emptied its environment, without a cgroup: ${what}`, async () => {
    await using world = new World();
    const session = await world.session();
    const { task, pid } = await shedder(session, command);
    const stranger = await shedder(session, commands['its parent lives']);
    const snapshot = await task.kill({ graceMs: 50 });
    assert.equal(isLive(pid), false);
    assert.deepEqual([snapshot.status, snapshot.leftovers], ['killed', []]);
    // Nothing but a cgroup holds what has shed its output, too, and the record says that there was none.
    assert.equal(snapshot.containment, null);
    assert.equal(isLive(stranger.pid), true);
    await stranger.task.kill({ graceMs: 50 });
    assert.equal(isLive(stranger.pid), false);
  });

test('a process that goes on with an empty environment in its own session is a leftover, and can be stopped', async () => {
  await using world = new World();
  const session = await world.session();
  for (const seconds of [0.3, 2.3]) {
    const { task, pid } = await shedder(session, `(${sheds} &) ; sleep ${seconds}`);
    const { status, leftovers } = await task.wait();
    assert.equal(status, 'completed');
    // It has a child now and then.
    assert.ok(leftovers.some((process) => process.pid === pid));
    await task.kill({ graceMs: 50 });
    await waitFor(() => !isLive(pid), 'the leftover to be gone');
  }
});

test('a task that a task spawned is not part of it, nor are its processes that have shed everything', async () => {
  await using world = new World();
  const session = await world.session();
  const library = new URL('../../../src/index.js', import.meta.url).href;
  const nested = fixture('spawns-a-task.mjs', library, world.dir, `${sheds} & sleep 300; true`);
  const outer = await session.spawn(nested);
  await untilPrinted(outer, 'spawned');
  const found = (await session.tasks()).find(({ taskId }) => taskId !== outer.id);
  const inner = session.task(found?.taskId ?? '');
  const pid = await pidIn(inner);
  await outer.kill({ graceMs: 50 });
  assert.deepEqual([isLive(pid), inner.snapshot().status], [true, 'running']);
  await inner.kill({ graceMs: 50 });
  assert.equal(isLive(pid), false);
});

async function shedder(session: Session, command: string): Promise<{ task: Task; pid: number }> {
  const task = await session.spawn(command);
  return { task, pid: await pidIn(task) };
}

async function pidIn(task: Task): Promise<number> {
  await untilPrinted(task);
  const pid = Number((await task.tail()).text.split(' ')[1]);
  assert.ok(isLive(pid));
  return pid;
}
