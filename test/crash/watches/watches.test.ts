import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Agent } from '../../support/agents.ts';
import { World, waitFor } from '../../support/world.ts';

test('a match that came after the watching process was killed is pending for the next one, which goes on after it', async () => {
  await using world = new World();
  const agent = await Agent.start(world.dir);
  const taskId = await agent.run(async ({ session, kept }, cwd) => {
    const task = await session.spawn(
      'echo error 1; until [ -e go ]; do sleep 0.01; done; echo error 2; echo error 3',
      { cwd },
    );
    await task.addWatch({ regexp: 'error \\d' }, { id: 'errors' });
    const matches = session.matches();
    kept.first = (await matches.next()).value;
    return task.id;
  }, world.base);
  await agent.crash();
  const session = await world.session();
  await session.run('touch go', { cwd: world.base });
  await waitFor(() => session.task(taskId).snapshot().status === 'completed', 'the end of the task');
  // Handed out and not acknowledged before the crash: told again.
  const seen: string[] = [];
  for await (const match of session.matches()) {
    seen.push(match.text);
    assert.equal(await match.ack(), true);
    if (seen.length === 3) break;
  }
  assert.deepEqual(seen, ['error 1', 'error 2', 'error 3']);
});
