import assert from 'node:assert/strict';
import { chmodSync, chownSync, copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Task, TaskSnapshot } from '../../../src/index.ts';
import { Agent } from '../../support/agents.ts';
import { isLive, World, waitFor } from '../../support/world.ts';

/** Nobody's, on every system. */
const nobody = 65_534;

// What sudo does: a member of the task belongs to root, and the agent may not end it.
test('kill() reports a survivor by pid and command', async () => {
  await using world = new World();
  const becomeRoot = join(world.base, 'become-root');
  copyFileSync('/usr/bin/setpriv', becomeRoot);
  chmodSync(becomeRoot, 0o4755);
  await using agent = await Agent.start(join(world.base, 'unused'));
  // Root makes no store in a folder of somebody else's, so that one is there already.
  chownSync(world.base, nobody, nobody);
  const started = await agent.run(
    async ({ openStore, kept }, { dir, user, command }) => {
      process.setgroups?.([]);
      process.setgid?.(user);
      process.setuid?.(user);
      const store = await openStore({ dir });
      const session = await store.session('test');
      kept.close = () => store.close();
      const task = await session.spawn(command, { cwd: '/' });
      kept.task = task;
      while (!(await task.tail()).text.includes('ready')) await new Promise((next) => setTimeout(next, 5));
      return { taskId: task.id, text: (await task.tail()).text };
    },
    {
      dir: world.dir,
      user: nobody,
      command: `${becomeRoot} --reuid 0 sleep 301 & echo $!; echo ready; sleep 300`,
    },
  );
  const rootPid = Number.parseInt(started.text, 10);
  try {
    await waitFor(() => commandOf(rootPid) === 'sleep 301', 'the member that belongs to root');
    const kill = async (): Promise<TaskSnapshot> =>
      await agent.run(async ({ kept }) => await (kept.task as Task).kill({ graceMs: 50 }));
    const snapshot = await kill();
    assert.equal(snapshot.status, 'killed');
    assert.ok(isLive(rootPid), 'the survivor lives');
    assert.deepEqual(
      snapshot.leftovers.map(({ pid, command }) => ({ pid, command })),
      [{ pid: rootPid, command: 'sleep 301' }],
    );
    // Root may end it, but does nothing in the store of another user.
    await assert.rejects(world.session(), { code: 'STORE_UNSAFE' });
    process.kill(rootPid, 'SIGKILL');
    await waitFor(async () => (await kill()).leftovers.length === 0, 'nothing to be left');
  } finally {
    if (isLive(rootPid)) process.kill(rootPid, 'SIGKILL');
  }
});

function commandOf(pid: number): string {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
}
