import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { test } from 'node:test';
import { Agent } from '../../support/agents.ts';
import { checkEveryday } from '../../support/everyday.ts';
import { untilStarted } from '../../support/ready.ts';
import { root } from '../../support/repository.ts';
import { isLive, World, waitFor } from '../../support/world.ts';

/** Sandboxes as those of agents are: the machine to be read, a folder to be written, nothing else shared. */
function sandbox(world: World, ...more: string[]): string[] {
  const seen = ['--ro-bind', '/', '/', '--dev', '/dev', '--proc', '/proc', '--tmpfs', '/run'];
  return [
    'bwrap',
    ...seen,
    '--bind',
    world.base,
    world.base,
    '--unshare-all',
    '--chdir',
    root,
    ...more,
    '--',
  ];
}

const sandboxes: [string, string[]][] = [
  ['as it is', []],
  ['of another user', ['--uid', '1000', '--gid', '1000']],
  ['in a session of its own', ['--new-session']],
  ['that ends with its starter', ['--die-with-parent']],
  ['whose command is its first process', ['--as-pid-1']],
];

for (const [what, more] of sandboxes) {
  test(`tasks work in a sandbox ${what}`, async () => {
    await using world = new World();
    mkdirSync(world.dir, { mode: 0o700 });
    await using agent = await Agent.start(world.dir, { before: sandbox(world, ...more) });
    await checkEveryday(world, agent);
  });
}

test('a task outlives its agent in a sandbox, is seen from outside as elsewhere, and ends with the sandbox', async () => {
  await using world = new World();
  mkdirSync(world.dir, { mode: 0o700 });
  await using agent = await Agent.start(world.dir, { before: sandbox(world) });
  const id = await agent.run(async ({ session }) => (await session.spawn('sleep 300 & sleep 301')).id);
  await untilStarted(world, id);
  await agent.crash();
  const outside = await world.session();
  const seen = outside.task(id).snapshot();
  assert.deepEqual([seen.status, seen.statusReason], ['running', 'elsewhere']);
  await assert.rejects(outside.task(id).kill({ graceMs: 0 }), { code: 'TASK_ELSEWHERE' });
  const pids = world.pids();
  assert.ok(pids.length > 2 && pids.every(isLive));
  // The first process of the sandbox ends when the last of the others has.
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  await waitFor(() => !pids.some(isLive), 'the processes of the sandbox to be gone');
  await using next = await Agent.start(world.dir, { before: sandbox(world) });
  const end = await next.run(async ({ session }, taskId) => await session.task(taskId).wait(), id);
  assert.deepEqual([end.status, end.statusReason], ['lost', 'container_restarted']);
});
