import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Tree } from '../../../src/engine/processes/members.ts';
import { ending, terminate } from '../../../src/engine/processes/terminate.ts';
import { linux } from '../../../src/platform/linux/linux.ts';
import { factOf } from '../../support/logs.ts';
import { untilPrinted } from '../../support/ready.ts';
import { fixture, World } from '../../support/world.ts';

// A machine so busy that what runs away is never in sight when it could be stopped.
const blind = { ...linux, strike: async () => 0 };

test('a tree that goes on forking despite the freeze is ended, or reported as left', async () => {
  await using world = new World();
  const session = await world.session();
  for (let i = 0; i < 8; i += 1) {
    const task = await session.spawn(fixture('runs-away.sh'));
    await untilPrinted(task);
    const log = world.logOf(task.id);
    const { pid, start, shimPid, shimStart } = factOf(log, 'started');
    const tree: Tree = {
      cookie: factOf(log, 'spec').cookie,
      shim: { pid: shimPid, start: shimStart },
      command: { pid, start },
      isQueued: false,
      outputs: () => [],
      cgroup: null,
    };
    const survivors = await terminate(ending(tree, blind, 'SIGKILL', 0));
    const left = Array.from({ length: 5 }, () => world.pidsOf(task.id)).flat();
    assert.ok(left.length === 0 || survivors.length > 0, `${left.length} are left, and none was told of`);
    await task.kill({ graceMs: 0 });
  }
});
