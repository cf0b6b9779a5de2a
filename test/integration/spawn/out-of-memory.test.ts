import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { Agent } from '../../support/agents.ts';
import { World } from '../../support/world.ts';

test('when a process runs out of memory and dies, its tasks and their limits go on, and their exit codes are known', async () => {
  await using world = new World();
  await using agent = await Agent.start(world.dir, {
    // What Node has to say of its death is no news here.
    before: ['sh', '-c', 'ulimit -c 0; exec "$@" 2>/dev/null', 'sh'],
  });
  const ids = await agent.run(async ({ session }) => [
    (await session.spawn('sleep 0.5; exit 5')).id,
    (await session.spawn('sleep 300', { timeoutMs: 60_000 })).id,
  ]);
  const limited = await agent.run(({ fs }) => {
    // So much as it has now, and some more.
    const kilobytes = Number(/VmSize:\s+(\d+)/.exec(fs.readFileSync('/proc/self/status', 'utf8'))?.[1]);
    return { pid: process.pid, addresses: kilobytes * 1024 + 50_000_000 };
  });
  execFileSync('prlimit', [`--pid=${limited.pid}`, `--as=${limited.addresses}`]);
  const death = agent.run(async ({ session }) => {
    const kept: Buffer[] = [];
    const refused: string[] = [];
    for (;;) {
      // Touched, in pieces that no allocator keeps in store.
      for (let count = 0; count < 50; count += 1) kept.push(Buffer.alloc(1024 * 1024, count));
      await session.run('true').catch((error: { code?: string }) => refused.push(String(error.code)));
    }
  });
  await assert.rejects(death);
  const session = await world.session();
  const [short, long] = ids.map((id) => session.task(id));
  assert.equal((await short?.wait({ ack: false }))?.exitCode, 5);
  assert.equal(long?.snapshot().status, 'running');
  assert.equal((await long?.kill({ graceMs: 50 }))?.status, 'killed');
  // What it ran last is there as well, and has ended one way or another.
  for (const { taskId } of await session.tasks()) await session.task(taskId).wait();
});
