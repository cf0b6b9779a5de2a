import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Agent } from '../../support/agents.ts';
import { checkEveryday } from '../../support/everyday.ts';
import { factOf } from '../../support/logs.ts';
import { calls, refusing, setSubreaper } from '../../support/seccomp.ts';
import { World } from '../../support/world.ts';

/** What the kernel says to each of those calls in the agent, with three arguments: the errno, or 0. */
async function answers(agent: Agent, asked: readonly (readonly number[])[]): Promise<number[]> {
  return await agent.run(({ childProcess }, all) => {
    const program = `
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
for words in ${JSON.stringify(all)}:
    result = libc.syscall(*[ctypes.c_long(word) for word in words])
    print(0 if result >= 0 else ctypes.get_errno())`;
    return childProcess
      .execFileSync('python3', ['-c', program], { encoding: 'utf8' })
      .trim()
      .split('\n')
      .map(Number);
  }, asked);
}

const [ENOSYS, EPERM, EINVAL] = [38, 1, 22];

const newCalls = ['close_range', 'pidfd_open', 'pidfd_send_signal'] as const;

for (const [name, errno] of [
  ['ENOSYS', ENOSYS],
  ['EPERM', EPERM],
] as const) {
  for (const refused of [[...newCalls], ['pidfd_send_signal'], ['close_range']] as const) {
    test(`tasks work if ${refused.join(', ')} is refused with ${name}`, async () => {
      await using world = new World();
      const before = refusing(
        world,
        refused.map((call) => ({ call })),
        errno,
      );
      await using agent = await Agent.start(world.dir, { before });
      const asked = refused.map((call) => [calls[call], 200, 200, 0]);
      assert.deepEqual(
        await answers(agent, asked),
        refused.map(() => errno),
      );
      await checkEveryday(world, agent);
      const { text } = await agent.run(async ({ session }) => (await session.run('ls /proc/self/fd')).output);
      assert.equal(text, '0\n1\n2\n3\n');
    });
  }
}

for (const [name, errno] of [
  ['EINVAL', EINVAL],
  ['EPERM', EPERM],
] as const) {
  test(`if a process cannot adopt orphans (${name}), that is recorded, and processes are found by searching`, async () => {
    await using world = new World();
    const before = refusing(world, [{ call: 'prctl', argument: setSubreaper }], errno);
    await using agent = await Agent.start(world.dir, { before });
    assert.deepEqual(
      await answers(agent, [
        [calls.prctl, setSubreaper, 1, 0],
        [calls.prctl, 3, 0, 0],
      ]),
      [errno, 0],
    );
    await checkEveryday(world, agent);
    for (const id of world.taskIds()) assert.equal(factOf(world.logOf(id), 'started').subreaper, false);
  });
}

test('tasks work if all of these calls are refused', async () => {
  await using world = new World();
  const subreaper = { call: 'prctl', argument: setSubreaper } as const;
  const before = refusing(world, [...newCalls.map((call) => ({ call })), subreaper], ENOSYS);
  await using agent = await Agent.start(world.dir, { before });
  assert.deepEqual(
    await answers(agent, [
      [calls.pidfd_open, 1, 0],
      [calls.prctl, setSubreaper, 1],
    ]),
    [ENOSYS, ENOSYS],
  );
  await checkEveryday(world, agent);
});
