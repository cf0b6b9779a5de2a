import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { settle } from '../../../src/engine/end/settle.ts';
import { SessionContext, type StoreContext } from '../../../src/engine/session/context.ts';
import { observe } from '../../../src/engine/session/observe.ts';
import { makeSessionFolders } from '../../../src/engine/store/session-folder.ts';
import { storeAsItIs } from '../../../src/engine/store/store-as-it-is.ts';
import { linux } from '../../../src/platform/linux/linux.ts';
import { encodeFact } from '../../../src/tasklog/codec.ts';
import { sessionPaths, taskPaths } from '../../../src/tasklog/paths.ts';
import { appendFacts, factsOf, hasFact } from '../../support/logs.ts';
import { World, waitFor } from '../../support/world.ts';
import { sealedSpec, started } from '../../unit/model/sample-facts.ts';

/** More looks at a process than it takes to give a task up. */
const mostLooks = 12;

test('a task whose shim starts while the task is given up is settled only if the shim reads that', async () => {
  const answers: boolean[] = [];
  for (let look = 0; look <= mostLooks; look += 1) answers.push(await giveUp(look));
  assert.deepEqual([answers[0], answers.at(-1)], [false, true], 'the earliest start and none at all');
});

/**
 * Gives a task up whose spawner died before anything was said of the shim. The start of the command is appended while
 * processes are looked at for the n-th time; 0: while all of them are.
 * @returns whether the task was settled.
 */
async function giveUp(when: number): Promise<boolean> {
  await using world = new World();
  await (await world.session()).close();
  makeSessionFolders(sessionPaths(world.dir, 'test'), 'test');
  const paths = sessionPaths(world.dir, 'test');
  const { log } = taskPaths(paths, 'bgb-0123abcd0123');
  const self = linux.self();
  writeFileSync(log, encodeFact({ ...sealedSpec, by: { ...self, start: 1 }, createdAt: 0, monoMs: 0 }));
  // This process stands for the shim and for the command.
  const start = (): void => appendFacts(log, started({ ...self, shimPid: self.pid, shimStart: self.start }));
  let looks = -1;
  const members = async (): Promise<[]> => {
    if (when === 0) start();
    return [];
  };
  const view: typeof linux.view = (pid) => {
    if (looks >= 0 && ++looks === when) start();
    return linux.view(pid);
  };
  const store: StoreContext = storeAsItIs(world.dir, { ...linux, members, view });
  const limits = { maxRunning: 1, retentionMs: null, staleAfterMs: null, previewBytes: 0 };
  const context = new SessionContext(store, 'test', paths, limits);
  const observed = observe(context, 'bgb-0123abcd0123');
  assert.equal(observed?.alive, 'no');
  assert.ok(observed);
  looks = 0;
  const isSettled = await settle(context, 'bgb-0123abcd0123', observed);
  const kinds = factsOf(log).map(({ fact }) => fact);
  const [outcomeAt, startedAt] = [kinds.indexOf('outcome'), kinds.indexOf('started')];
  assert.equal(isSettled, outcomeAt >= 0 && (startedAt < 0 || outcomeAt < startedAt), kinds.join(' '));
  if (when === 0) assert.equal(hasFact(log, 'outcome'), false);
  await waitFor(() => context.unwritten.size === 0, 'what was put off to be written');
  assert.equal(factsOf(log).filter(({ fact }) => fact === 'outcome').length, outcomeAt < 0 ? 0 : 1);
  return isSettled;
}
