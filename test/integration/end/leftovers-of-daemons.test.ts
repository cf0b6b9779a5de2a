import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endForSure, nginx, postgres, processesOf, redis } from '../../support/daemons.ts';
import { hasFact } from '../../support/logs.ts';
import { isLive, World, waitFor } from '../../support/world.ts';

const servers = [
  ['redis-server', redis],
  ['nginx', nginx],
  ['postgres', postgres],
] as const;

for (const [name, make] of servers) {
  test(`${name} as a daemon, with its children, is named as a leftover, and gone after a stop`, async () => {
    await using world = new World();
    const daemon = make(world);
    try {
      const session = await world.session();
      const { snapshot, task } = await session.run(daemon.command);
      assert.deepEqual([snapshot.status, snapshot.exitCode], ['completed', 0]);
      const pids = await processesOf(daemon);
      const named = snapshot.leftovers.map(({ pid }) => pid);
      assert.ok(named.includes(daemon.pid()), `expected ${daemon.pid()} among ${named}`);
      const after = await task.kill({ graceMs: 10_000 });
      assert.deepEqual([after.status, after.leftovers], ['completed', []]);
      assert.deepEqual(pids.filter(isLive), []);
      await waitFor(() => hasFact(world.logOf(task.id), 'gone'), 'the shim to say that nothing is left');
    } finally {
      endForSure(daemon);
    }
  });

  test(`${name} as a daemon is gone when a task with leftovers "kill" ends`, async () => {
    await using world = new World();
    const daemon = make(world);
    try {
      const session = await world.session();
      const command = `${daemon.command}; exit 3`;
      const { snapshot } = await session.run(command, { leftovers: 'kill', graceMs: 10_000 });
      assert.deepEqual([snapshot.status, snapshot.exitCode, snapshot.leftovers], ['failed', 3, []]);
      assert.ok(daemon.pid() === 0 || !isLive(daemon.pid()));
    } finally {
      endForSure(daemon);
    }
  });

  test(`a task with leftovers "wait" runs as long as ${name} does`, async () => {
    await using world = new World();
    const daemon = make(world);
    try {
      const session = await world.session();
      const task = await session.spawn(daemon.command, { leftovers: 'wait' });
      await waitFor(() => hasFact(world.logOf(task.id), 'exit'), 'the end of the command');
      const pids = await processesOf(daemon);
      assert.equal(task.snapshot().status, 'running');
      process.kill(daemon.pid(), 'SIGTERM');
      const end = await task.wait();
      assert.deepEqual([end.status, end.exitCode, end.leftovers], ['completed', 0, []]);
      assert.deepEqual(pids.filter(isLive), []);
    } finally {
      endForSure(daemon);
    }
  });

  test(`a stop without a grace period ends a task that waits for ${name}`, async () => {
    await using world = new World();
    const daemon = make(world);
    try {
      const session = await world.session();
      const task = await session.spawn(`${daemon.command}; sleep 300`, { leftovers: 'wait' });
      const pids = await processesOf(daemon);
      const end = await task.kill({ graceMs: 0 });
      assert.deepEqual([end.status, end.leftovers], ['killed', []]);
      assert.deepEqual(pids.filter(isLive), []);
    } finally {
      endForSure(daemon);
    }
  });
}
