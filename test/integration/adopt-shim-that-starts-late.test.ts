import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { SessionContext, type StoreContext } from '../../src/engine/context.ts';
import { observe } from '../../src/engine/observe.ts';
import { settle } from '../../src/engine/settle.ts';
import { storeAsItIs } from '../../src/engine/store-as-it-is.ts';
import { linux } from '../../src/platform/linux.ts';
import { encodeFact } from '../../src/tasklog/codec.ts';
import { sessionPaths, taskPaths } from '../../src/tasklog/paths.ts';
import { appendFacts, hasFact } from '../support/logs.ts';
import { World } from '../support/world.ts';
import { spec } from '../unit/sample-facts.ts';

test('a task whose shim starts while it is being given up is not settled', async () => {
  await using world = new World();
  await (await world.session()).close();
  const paths = sessionPaths(world.dir, 'test');
  const { log } = taskPaths(paths, 'bgb-0123abcd');
  const self = linux.self();
  writeFileSync(
    log,
    encodeFact(spec({ by: { ...self, pid: 999_999, start: 1 }, createdAt: 0, uptimeMs: 0 })),
  );
  // A look at all processes takes a while. This process stands for the shim.
  const members = async (): Promise<[]> => {
    appendFacts(log, { fact: 'started', pid: self.pid, start: self.start });
    return [];
  };
  const store: StoreContext = storeAsItIs(world.dir, { ...linux, members });
  const limits = { maxRunning: 1, retentionMs: null, staleAfterMs: null, previewBytes: 0 };
  const context = new SessionContext(store, 'test', paths, limits);
  const observed = observe(context, 'bgb-0123abcd');
  assert.equal(observed?.alive, 'no');
  assert.ok(observed);
  assert.equal(await settle(context, 'bgb-0123abcd', observed), false);
  assert.equal(context.unwritten.size, 0);
  assert.equal(hasFact(log, 'outcome'), false);
});
