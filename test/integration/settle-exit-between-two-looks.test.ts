import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SessionContext } from '../../src/engine/context.ts';
import { observe } from '../../src/engine/observe.ts';
import { storeAsItIs } from '../../src/engine/store-as-it-is.ts';
import { defaultLimits } from '../../src/engine/store-sessions.ts';
import { decide } from '../../src/model/decide.ts';
import { linux } from '../../src/platform/linux.ts';
import { appendFacts, readLog } from '../../src/tasklog/log.ts';
import { sessionPaths } from '../../src/tasklog/paths.ts';
import { commandLineOf } from '../support/processes.ts';
import { World, waitFor } from '../support/world.ts';

test('a shim that writes its exit marker and ends between the look at its log and the look at it is not lost', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('sleep 1000');
  await waitFor(() => task.snapshot().status === 'running', 'the start');
  const log = world.logOf(task.id);
  const shim = commandLineOf(task.snapshot().pid ?? 0)?.split('\0') ?? [];
  const proof = shim[shim.indexOf('outlive') + 3] ?? '';
  const store = storeAsItIs(world.dir, linux);
  // A system in which the look at the shim is the moment of its end.
  const system: typeof store.system = {
    ...store.system,
    view: (pid) => {
      if (pid === process.pid) return store.system.view(pid);
      if (!readLog(log)?.list.some(({ fact }) => fact === 'exit')) {
        appendFacts(log, [{ fact: 'exit', code: 3, uptime: null, cpuMs: null, proof }]);
      }
      return null;
    },
  };
  const context = new SessionContext(
    { ...store, system },
    'test',
    sessionPaths(world.dir, 'test'),
    defaultLimits,
  );
  const observed = observe(context, task.id);
  assert.ok(observed !== null);
  const decision = decide(observed.facts, observed.alive);
  assert.deepEqual(decision.state === 'settle' && decision.verdict, {
    status: 'failed',
    reason: null,
    exitCode: 3,
    killSignal: null,
  });
  await task.kill({ graceMs: 0 });
});
