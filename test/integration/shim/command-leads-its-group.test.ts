import assert from 'node:assert/strict';
import { test } from 'node:test';
import { factOf } from '../../support/logs.ts';
import { groupOf } from '../../support/processes.ts';
import { World } from '../../support/world.ts';

test('a command leads its own process group, without its shim', async () => {
  await using world = new World();
  const session = await world.session();
  for (const shell of ['bash', 'dash', 'zsh', 'mksh']) {
    const { task, output } = await session.run('echo $$; ps -o pgid= -p $$', { shell });
    const { pid, shimPid } = factOf(world.logOf(task.id), 'started');
    assert.deepEqual(output.text.split(/\s+/).filter(Boolean).map(Number), [pid, pid]);
    assert.notEqual(groupOf(shimPid), pid);
  }
});

/** Each ends its own group, as it may in a terminal. Who ignores that signal goes on. */
const inputs: { command: string; shell?: string; exitCode: number; status?: string; text?: string }[] = [
  { command: "trap 'kill -- -$$' EXIT; sleep 51 & exit 5", exitCode: 143 },
  { command: "trap '' TERM; kill -- -$$; exit 6", exitCode: 6 },
  { command: "trap 'echo bye; exit 7' TERM; sleep 51 & kill 0; wait", exitCode: 7, text: 'bye\n' },
  { command: 'sleep 51 & kill 0', exitCode: 143 },
  { command: 'sleep 51 & kill 0', shell: 'dash', exitCode: 143 },
  { command: 'sleep 51 & kill -KILL 0', shell: 'zsh', exitCode: 137 },
  { command: 'kill -TERM -- -$$; sleep 51', shell: 'mksh', exitCode: 143 },
];

for (const { command, shell = 'bash', exitCode, text = '' } of inputs) {
  test(`${command} in ${shell} reaches only the command and its children`, async () => {
    await using world = new World();
    const session = await world.session();
    const { task, snapshot, output } = await session.run(command, { shell });
    assert.deepEqual([snapshot.status, snapshot.exitCode, output.text], ['failed', exitCode, text]);
    assert.deepEqual([snapshot.leftovers, world.pidsOf(task.id)], [[], []]);
  });
}

test('job control works without a terminal: jobs have their own groups, and are stopped with the task', async () => {
  await using world = new World();
  const session = await world.session();
  // The others refuse it where there is no terminal.
  for (const shell of ['bash', 'mksh']) {
    // The job says itself that it is there: mksh loses a signal that comes between its fork and its exec.
    const jobs =
      'set -m; sh -c "echo > job; exec sleep 51" & until [ -s job ]; do sleep 0.01; done; ' +
      'ps -o pgid= -p $! | tr -d " "; echo $!; kill %1; wait %1 2>/dev/null; echo $?';
    const { snapshot, output } = await session.run(jobs, { shell, cwd: world.base });
    const numbers = output.text.split('\n').filter((line) => /^\d+$/.test(line));
    assert.equal(snapshot.exitCode, 0);
    assert.equal(numbers[0], numbers[1], `${shell}: a group of its own`);
    assert.equal(numbers[2], '143', `${shell}: ${output.text}`);
    const task = await session.spawn('set -m; sleep 51 & sleep 52 & echo ready; wait', { shell });
    await task.waitFor({ pattern: 'ready' });
    assert.equal((await task.kill({ graceMs: 100 })).status, 'killed');
    assert.deepEqual(world.pidsOf(task.id), []);
  }
});

test('children that a command moves to another group are named and stopped', async () => {
  await using world = new World();
  const session = await world.session();
  const { task, snapshot } = await session.run('set -m; sleep 51 & exit 3');
  assert.deepEqual([snapshot.exitCode, snapshot.leftovers.map(({ command }) => command)], [3, ['sleep 51']]);
  assert.deepEqual((await task.kill({ graceMs: 100 })).leftovers, []);
  assert.deepEqual(world.pidsOf(task.id), []);
});
