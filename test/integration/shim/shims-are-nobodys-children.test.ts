import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AgentScope } from '../../support/agent-types.ts';
import { Agent } from '../../support/agents.ts';
import { checkEveryday } from '../../support/everyday.ts';
import { PidNamespace } from '../../support/namespaces.ts';
import { quote, World } from '../../support/world.ts';

/** A first process that reaps whoever is dead once in so many seconds. */
function reapsEvery(seconds: number): string {
  const program = `
import os, time
while True:
    time.sleep(${seconds})
    try:
        while os.waitpid(-1, os.WNOHANG)[0]: pass
    except ChildProcessError: pass`;
  return `exec python3 -c ${quote(program)}`;
}

/** Spawns one task after the other, until the shim of one is the agent's child, or of so many none is. */
const spawnUntilChild = async ({ session, fs }: AgentScope, most: number | null): Promise<boolean> => {
  for (let count = 0; most === null || count < most; count += 1) {
    // It runs until it has been looked at.
    const task = await session.spawn('sleep 1000');
    let seen = task.snapshot();
    for (; seen.shimPid === null; seen = task.snapshot()) await new Promise((next) => setTimeout(next, 5));
    const stat = fs.readFileSync(`/proc/${seen.shimPid}/stat`, 'latin1');
    const isChild = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === process.pid;
    // No wait for anything: the tasks are to be spread over more than the three seconds in which the spawner finds out.
    await new Promise((next) => setTimeout(next, 200));
    await task.kill({ graceMs: 0 });
    if (isChild) return true;
  }
  return false;
};

const firsts: { what: string; script?: string; isChild: boolean }[] = [
  { what: 'reaps at once', isChild: false },
  { what: 'reaps once a second', script: reapsEvery(1), isChild: false },
  { what: 'reaps once in two seconds', script: reapsEvery(2), isChild: false },
  { what: 'reaps nobody', script: 'exec python3 -c "import time; time.sleep(600)"', isChild: true },
];

for (const { what, script, isChild } of firsts) {
  test(`if pid 1 ${what}, shims ${isChild ? 'become' : 'are no'} children of their spawner`, async () => {
    await using world = new World();
    await using container = await PidNamespace.start(script);
    await using agent = await Agent.start(world.dir, { before: container.enter });
    // That takes some time to find out, in which they are nobody's.
    assert.equal(await agent.run(spawnUntilChild, isChild ? null : 20), isChild);
    await checkEveryday(world, agent);
  });
}
