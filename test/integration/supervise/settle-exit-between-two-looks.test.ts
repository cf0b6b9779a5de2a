import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { SessionContext } from '../../../src/engine/session/context.ts';
import { observe } from '../../../src/engine/session/observe.ts';
import { storeAsItIs } from '../../../src/engine/store/store-as-it-is.ts';
import { defaultLimits } from '../../../src/engine/store/store-sessions.ts';
import { decide } from '../../../src/model/decide.ts';
import type { ExitFact, StartedFact } from '../../../src/model/facts.ts';
import { linux } from '../../../src/platform/linux/linux.ts';
import { encodeFact } from '../../../src/tasklog/codec.ts';
import { appendFacts } from '../../../src/tasklog/log.ts';
import { sessionPaths, taskPaths } from '../../../src/tasklog/paths.ts';
import { readLog } from '../../../src/tasklog/read-log.ts';
import { sealOf } from '../../../src/util/crypto.ts';
import { factOf } from '../../support/logs.ts';
import { World } from '../../support/world.ts';

const started: Omit<StartedFact, 'pid' | 'shimPid'> = {
  fact: 'started',
  start: 1,
  shimStart: 1,
  at: Date.now(),
  monoMs: 1,
  subreaper: true,
};

const exit: Omit<ExitFact, 'proof'> = {
  fact: 'exit',
  code: 3,
  exitSignal: null,
  core: false,
  ran: true,
  errno: null,
  at: Date.now(),
  monoMs: 2,
  cpuMs: 0,
  peakBytes: 0,
  left: 0,
  pending: false,
};

test('a task is not lost if its shim records the exit and ends between a read of the log and a check of the shim', async () => {
  await using world = new World();
  const { task } = await (await world.session()).run('true');
  // The record of another task, whose shim is this process as far as anybody can tell.
  const proof = sealOf('the secret of the last end');
  const taskId = 'bgb-000000010000';
  const paths = sessionPaths(world.dir, 'test');
  const { log } = taskPaths(paths, taskId);
  // It is of that other file.
  const { file: _, ...other } = factOf(world.logOf(task.id), 'spec');
  const spec = { ...other, taskId, seal: sealOf(proof) };
  const pids = { pid: process.pid, shimPid: process.pid };
  writeFileSync(log, [spec, { ...started, ...pids }].map(encodeFact).join(''));
  const store = storeAsItIs(world.dir, linux);
  // A system in which the look at the shim is the moment of its end.
  const system: typeof store.system = {
    ...store.system,
    view: () => {
      if (!readLog(log)?.list.some(({ fact }) => fact === 'exit')) appendFacts(log, [{ ...exit, proof }]);
      return null;
    },
  };
  const context = new SessionContext({ ...store, system }, 'test', paths, defaultLimits);
  const observed = observe(context, taskId);
  assert.ok(observed !== null);
  const decision = decide(observed.facts, observed.alive);
  assert.deepEqual(decision.state === 'settle' && decision.verdict, {
    status: 'failed',
    reason: null,
    exitCode: 3,
    exitSignal: null,
  });
});
