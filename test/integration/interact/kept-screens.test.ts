import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { openStore, type Task } from '../../../src/index.ts';
import { hasFact } from '../../support/logs.ts';
import { World, waitFor } from '../../support/world.ts';

const tty = { cols: 60, rows: 12 };

/** Draws a line that stays, and then much below it. */
function draws(lines: number): string {
  return `printf '\\033[2J\\033[Hstays here\\033[3;12r\\033[12;1H'; seq ${lines}`;
}

/** The file in which the screen of an ended task is kept. */
async function fileOf(task: Task): Promise<string> {
  return `${(await task.snapshot()).output.path}.screen`;
}

test('the screen of a task that wrote much is kept, used by other processes, and removed with the task', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn(draws(200_000), { tty });
  await task.wait();
  const file = await fileOf(task);
  const kept = await task.screen();
  await waitFor(() => existsSync(file), 'the kept screen');
  if (process.platform !== 'win32') assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(kept.lines[0], 'stays here');
  assert.equal(kept.lines[10], '200000');
  assert.equal(kept.ended, true);

  // Whoever only reads shows the same with it and without it, and changes nothing. This process may still write it.
  await session.close();
  const content = readFileSync(file);
  for (const found of [content, content.subarray(0, 100), Buffer.from('garbage')]) {
    writeFileSync(file, found);
    await using store = await openStore({ dir: world.dir, readOnly: true });
    assert.deepEqual(await (await store.task(task.id)).screen(), kept);
    assert.deepEqual(readFileSync(file), found);
  }

  await (await world.session()).prune({ olderThanMs: 0 });
  await waitFor(() => !existsSync(file), 'the kept screen to be gone with its task');
});

test('the last screen of a task is kept before its output is cut', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn(draws(2_000), { tty, keepOutputBytes: 1_000 });
  await task.wait();
  await waitFor(() => hasFact(world.logOf(task.id), 'cut'), 'the cut');
  const { lines } = await task.screen();
  assert.deepEqual([lines[0], lines[10]], ['stays here', '2000']);
});
