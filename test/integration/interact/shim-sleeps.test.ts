import { existsSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Task } from '../../../src/index.ts';
import { checkItSleeps } from '../../support/cpu-time.ts';
import { notingHook } from '../../support/hooks.ts';
import { factOf, hasFact } from '../../support/logs.ts';
import { untilPrinted } from '../../support/ready.ts';
import { quote, World, waitFor } from '../../support/world.ts';

const tty = { cols: 80, rows: 24 };

/** A process that the task leaves, and that holds none of its files. */
const daemon = 'setsid sleep 1000 </dev/null >/dev/null 2>&1 &';

function shimOf(world: World, { id }: Task): number {
  return factOf(world.logOf(id), 'started')?.shimPid ?? 0;
}

test('a shim sleeps when a program has closed its terminal, and has left a daemon', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn(`${daemon} exec </dev/null >/dev/null 2>&1; sleep 0.3`, { tty });
  await task.wait();
  await checkItSleeps(shimOf(world, task));
  await task.kill({ graceMs: 0 });
});

test('a shim sleeps when a terminal ended before it got the size that was asked for', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn(`${daemon} echo ready; read -r line`, { tty });
  await untilPrinted(task, 'ready');
  await task.resize({ cols: 90, rows: 30 });
  // A second change comes a tenth of a second after the first one at the soonest.
  await task.resize({ cols: 100, rows: 40 });
  await task.send('\n');
  await task.wait();
  await checkItSleeps(shimOf(world, task));
  await task.kill({ graceMs: 0 });
});

test('the hook runner sleeps when the last process has let go of the terminal', async () => {
  await using world = new World();
  const session = await world.session();
  const [leave, left, end] = ['leave', 'left', 'end'].map((name) => quote(`${world.base}/${name}`));
  const stays = `trap '' HUP; (until [ -e ${leave} ]; do sleep 0.05; done; exec touch ${left}) &`;
  const onExit = `until [ -e ${end} ]; do sleep 0.05; done; ${notingHook(world)}`;
  const task = await session.spawn(`${stays} exit 0`, { tty, onExit });
  await task.wait();
  await waitFor(() => hasFact(world.logOf(task.id), 'hook'), 'the hook');
  writeFileSync(`${world.base}/leave`, '');
  await waitFor(() => existsSync(`${world.base}/left`), 'the end of the last process of the task');
  await checkItSleeps(factOf(world.logOf(task.id), 'hook')?.pid ?? 0);
  writeFileSync(`${world.base}/end`, '');
  await waitFor(() => hasFact(world.logOf(task.id), 'hooked'), 'the end of the hook');
});
