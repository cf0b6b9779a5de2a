import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import { AgentProcess } from '../../support/fleet/agent-process.ts';
import { FleetWorld } from '../../support/fleet/agent-world.ts';
import { withoutNats } from '../../support/nats.ts';
import { waitFor } from '../../support/world.ts';

/** Which calls are tried in a run: over some runs it is every one. `OUTLIVE_CRASH_STEP=1` tries each. */
const step = Math.min(8, Number(process.env.OUTLIVE_CRASH_STEP ?? 8));

test('an agent that dies at any call of a spawn leaves a task that starts once and ends as its command does', {
  skip: withoutNats,
  timeout: 300_000,
}, async (t) => {
  const first = 1 + Math.floor(Math.random() * step);
  let died = 0;
  for (let call = first, isOver = false; !isOver; call += step) {
    await using fleet = await FleetWorld.start();
    const { coordinator } = fleet;
    const { command, starts } = fleet.noting('exit 5');
    const task = await coordinator.assign('h1', { command });
    await using agent = new AgentProcess(fleet, {}, null, call);
    // One that makes fewer calls lives on, and has done all of them.
    await waitFor(
      async () => agent.isGone || coordinator.heartbeats.at(-1)?.owes?.length === 1,
      'it to die or to be done',
    );
    isOver = !agent.isGone;
    died += isOver ? 0 : 1;
    await using _next = isOver ? null : new AgentProcess(fleet);
    const ended = await coordinator.until('h1', task, 'ended');
    assert.deepEqual([call, starts(), ended.end?.status, ended.end?.exitCode], [call, ['1'], 'failed', 5]);
    assert.equal((await coordinator.ends(task)).length, 1);
    await waitFor(() => coordinator.heartbeats.at(-1)?.owes?.length === 1, 'the end to be told');
    assert.deepEqual(await coordinator.states('h1', task), ['assigned', 'accepted', 'ended']);
    // A process that dies while it writes leaves these, which go when they are old.
    for (const path of fleet.world.files().filter((file) => file.endsWith('.tmp')))
      rmSync(`${fleet.world.dir}${path}`, { recursive: true });
  }
  t.diagnostic(`${died} deaths from call ${first} on`);
  assert.notEqual(died, 0);
});
