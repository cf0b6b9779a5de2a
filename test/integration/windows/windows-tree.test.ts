import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Session } from '../../../src/index.ts';
import { Agent } from '../../support/agents.ts';
import { untilPrinted } from '../../support/ready.ts';
import { windowsTest } from '../../support/windows-test.ts';
import { World, waitFor } from '../../support/world.ts';

/**
 * Runs a command that leaves a process whose parents are gone; its task. One in fifty programs of git-bash whose child
 * lives on does not end under Wine, whoever has started it: then another is tried. It has no scope but its own.
 */
async function leaveProcess({ session }: { session: Session }): Promise<string> {
  for (let tries = 3; ; tries -= 1) {
    const task = await session.spawn('(sleep 300 &) ; echo ready', { timeoutMs: 20_000 });
    const { status } = await task.wait({ ack: false });
    if (status !== 'timed_out' || tries === 1) return task.id;
  }
}

windowsTest(
  'a git-bash process whose parents are gone is found after its command has ended, and can be stopped',
  async () => {
    await using world = new World();
    const session = await world.session();
    const task = session.task(await leaveProcess({ session }));
    const ended = task.snapshot();
    assert.equal(ended.status, 'completed');
    assert.match(ended.leftovers.map(({ command }) => command).join(), /sleep/);
    const stopped = await task.kill({ graceMs: 0 });
    assert.deepEqual(stopped.leftovers, []);
    await waitFor(() => world.pidsOf(task.id).length === 0, 'the process to be gone');
  },
);

windowsTest('another process finds and stops the leftovers of a task, too', async () => {
  await using world = new World();
  await using agent = await Agent.start(world.dir);
  const taskId = await agent.run(leaveProcess);
  const session = await world.session();
  assert.equal(session.task(taskId).snapshot().leftovers.length > 0, true);
  await session.task(taskId).kill({ graceMs: 0 });
  await waitFor(() => world.pidsOf(taskId).length === 0, 'the process to be gone');
});

windowsTest('a wrapper that is killed leaves no marker: the task is lost, not completed', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('echo ready; sleep 300');
  await untilPrinted(task);
  const { pid } = task.snapshot();
  assert.ok(pid);
  process.kill(pid, 'SIGKILL');
  const ended = await task.wait();
  assert.deepEqual([ended.status, ended.statusReason, ended.exitCode], ['lost', 'no_exit_marker', null]);
  assert.ok(ended.leftovers.length > 0);
  await task.kill({ graceMs: 0 });
});

windowsTest(
  'PowerShell runs the script without profile and prompts; without its marker the task is lost',
  async () => {
    await using world = new World();
    const session = await world.session();
    // A stand-in that prints its arguments, ends with 0 and leaves no marker, as the stub of Wine does.
    const tools = join(dirname(dirname(process.env.SHELL ?? '')), 'usr', 'bin');
    const shell = join(world.base, 'powershell.exe');
    copyFileSync(join(tools, 'echo.exe'), shell);
    const env = { PATH: `${tools};${process.env.PATH}` };
    const task = await session.spawn('Write-Output "hi"; exit 3', { shell, env });
    const ended = await task.wait();
    assert.deepEqual([ended.status, ended.statusReason, ended.exitCode], ['lost', 'no_exit_marker', null]);
    const said = (await task.tail()).text.trim();
    assert.match(
      said,
      new RegExp(`^-NoLogo -NoProfile -NonInteractive -ExecutionPolicy Bypass -File .*${task.id}\\.ps1$`),
    );
  },
);
