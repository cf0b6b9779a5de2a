import assert from 'node:assert/strict';
import { readdirSync, readlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { Agent } from '../../support/agents.ts';
import { factOf } from '../../support/logs.ts';
import { untilStarted } from '../../support/ready.ts';
import { World } from '../../support/world.ts';

/** An agent with descriptors that its own parent has let it inherit, as `>(...)` of bash does. */
const before = ['bash', '-c', 'exec 63>/dev/full 251>/dev/full; exec "$@"', 'bash'];

const list = 'ls /proc/self/fd';

test('a command gets the descriptors 0, 1 and 2, whatever its agent has inherited', async () => {
  await using world = new World();
  await using agent = await Agent.start(world.dir, { before });
  for (const timeoutMs of [60_000, null]) {
    for (const separate of [false, true]) {
      const text = await agent.run(
        async ({ session }, { command, options }) => (await session.run(command, options)).output.text,
        { command: list, options: { timeoutMs, separate } },
      );
      // The fourth is that of `ls` itself, which lists a folder.
      assert.equal(text, '0\n1\n2\n3\n');
    }
  }
});

test('a shim has only the files of its task, the lock file and the doorbell, and nothing that its agent has inherited', async () => {
  await using world = new World();
  await using agent = await Agent.start(world.dir, { before });
  const task = await agent.run(async ({ session }) => {
    // The first has a doorbell of its own.
    await session.run('true');
    return (await session.spawn('sleep 300')).snapshot();
  });
  const { taskId } = task;
  await untilStarted(world, taskId);
  const { shimPid } = factOf(world.logOf(taskId), 'started');
  const folder = `/proc/${shimPid}/fd`;
  const open = readdirSync(folder).map((name) => readlinkSync(`${folder}/${name}`));
  const output = task.output.path;
  const queue = `${dirname(dirname(output))}/queue`;
  assert.deepEqual(
    open.map((target) => target.replace(/:?\[.*/, '').replace(/-\w+ \(deleted\)$/, '')).sort(),
    [
      ...['/dev/null', `${world.dir}/doorbell`, world.logOf(taskId), queue],
      // The pipe is that on which the command says that it could not be started; then there are the signals.
      ...['pipe', 'anon_inode'],
      // What the command writes to, twice; the same to read; where its marks are made.
      ...[output, output, output, dirname(output)],
      ...[`${world.dir}/inotify`, 'anon_inode:inotify'],
    ].sort(),
  );
});

test('stdin of a command is /dev/null', async () => {
  await using world = new World();
  const session = await world.session();
  const { output, snapshot } = await session.run('readlink /proc/self/fd/0; cat');
  assert.equal(output.text, '/dev/null\n');
  assert.equal(snapshot.exitCode, 0);
});
