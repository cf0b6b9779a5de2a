import assert from 'node:assert/strict';
import { basename } from 'node:path';
import { test } from 'node:test';
import { Agent } from '../../support/agents.ts';
import { TestCgroup } from '../../support/cgroups.ts';
import { factOf } from '../../support/logs.ts';
import { fixture, fixturePath, World } from '../../support/world.ts';

test("if the user lingers, a task with limits runs in a scope of the user's service manager, and is stopped by it", async () => {
  await using cgroup = new TestCgroup();
  await using world = new World();
  await using agent = await Agent.start(world.dir, {
    before: ['sh', fixturePath('with-user-manager.sh'), cgroup.dir],
  });
  const command = 'cat /proc/self/cgroup; echo \'$HOME %n\' "$0"';
  const first = await agent.run(async ({ session }, text) => {
    const limits = { memoryBytes: 2 ** 30, processes: 60, cpuSeconds: 60 };
    const { output, snapshot } = await session.run(text, limits);
    return { text: output.text, snapshot };
  }, command);
  const group = factOf(world.logOf(first.snapshot.taskId), 'spec').cgroup ?? '';
  assert.match(group, /\/outlive\.slice\/outlive-\w+-bgb-\w+\.scope$/);
  assert.match(first.text, new RegExp(`^0::/outlive\\.slice/${basename(group)}$`, 'm'));
  assert.match(first.text, /\n\$HOME %n bash\n$/);
  const runaway = `${fixture('sheds-everything.sh')} & wait`;
  const stopped = await agent.run(async ({ session, fs }, text) => {
    const task = await session.spawn(text, { cpuSeconds: 60 });
    let output = '';
    while (!output.includes('ready')) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      output = (await task.tail()).text;
    }
    const pid = output.split(' ')[1];
    const { status, leftovers } = await task.kill({ graceMs: 50 });
    // The first process of this namespace is a shell, which leaves zombies.
    const stat = fs.existsSync(`/proc/${pid}`) ? fs.readFileSync(`/proc/${pid}/stat`, 'latin1') : ') Z';
    return { status, leftovers, isGone: stat.includes(') Z') };
  }, runaway);
  assert.deepEqual(stopped, { status: 'killed', leftovers: [], isGone: true });
});
