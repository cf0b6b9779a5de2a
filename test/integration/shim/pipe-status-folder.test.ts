import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ExitFact } from '../../../src/model/facts.ts';
import { findShell } from '../../../src/platform/shells.ts';
import type { ShimRequest } from '../../../src/shim/request.ts';
import { BareShim } from '../../support/bare-shim.ts';
import { factOf } from '../../support/logs.ts';
import { World, waitFor } from '../../support/world.ts';

/** Runs a command in a shell that is asked in a folder of the test's, and what the shim says of its end. */
async function endOf(world: World, command: string, folder = join(world.base, 'pipes')): Promise<ExitFact> {
  const shim = await BareShim.in(world.base);
  const more: Partial<ShimRequest> = {
    bashPipes: folder,
    words: [findShell('bash', process.env.PATH), '-c', command, 'bash'],
  };
  assert.equal(await shim.start(shim.request('', more)), 0);
  const exits = (): ExitFact[] => shim.facts().filter((fact) => fact.fact === 'exit');
  await waitFor(() => exits().length === 1, 'the exit of the command');
  const [exit] = exits();
  assert.ok(exit !== undefined);
  return exit;
}

test('the folder for the answer of the shell is gone when the command has ended', async () => {
  await using world = new World();
  const folder = join(world.base, 'pipes');
  const { pipeStatus } = await endOf(world, `ls -A ${folder} >${world.base}/seen; false | true`);
  assert.deepEqual(pipeStatus, [1, 0]);
  assert.equal(existsSync(folder), false);
});

test('whatever a command puts into that folder, its end is told', async () => {
  const names = [
    '0-',
    '0-1',
    '0-1,',
    '0-256,0,',
    '0--1,0,',
    '0-1,,0,',
    '0-a,0,',
    '0-1;0;',
    '1-1,0,',
    '0-99999999999999999999,0,',
  ];
  for (const name of names) {
    await using world = new World();
    const folder = join(world.base, 'pipes');
    const exit = await endOf(world, `touch '${folder}/${name}'; exit 3`);
    // The shell itself tells of `exit` alone.
    assert.deepEqual([exit.code, exit.pipeStatus], [3, undefined], name);
    assert.equal(existsSync(folder), false, name);
  }
});

test('the status of more segments than a doorbell line can hold is not told', async () => {
  await using world = new World();
  const segments = (count: number): string => `false${' | true'.repeat(count - 1)}`;
  assert.equal((await endOf(world, segments(25))).pipeStatus, undefined);
  assert.equal((await endOf(world, segments(24), join(world.base, 'others'))).pipeStatus?.length, 24);
});

test('a folder that is filled with files and folders does not delay the shim', async () => {
  await using world = new World();
  const folder = join(world.base, 'pipes');
  const fill = `cd ${folder}; mkdir -p a/b; for i in $(seq 3000); do : >"$i"; done; false | true`;
  assert.equal((await endOf(world, fill)).code, 0);
  assert.deepEqual(readdirSync(folder), ['a']);
});

test('a folder that exists already, or is a link, is not used', async () => {
  for (const make of [mkdirSync, (path: string) => symlinkSync('target', path)]) {
    await using world = new World();
    mkdirSync(join(world.base, 'target'));
    const folder = join(world.base, 'pipes');
    make(folder);
    const { code, pipeStatus } = await endOf(world, 'env | grep -c BASH_ENV | cat; false | true');
    assert.deepEqual([code, pipeStatus], [0, undefined]);
    assert.deepEqual(readdirSync(join(world.base, 'target')), []);
  }
});

test('the folder of a killed shim is removed with its task', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('sleep 60 | cat');
  const folder = () => world.files().filter((path) => path.includes('.pipes'));
  await waitFor(() => folder().length > 1, 'the folder to be there');
  process.kill(factOf(world.logOf(task.id), 'started').shimPid, 'SIGKILL');
  await task.wait();
  assert.notDeepEqual(folder(), []);
  await task.kill({ graceMs: 0 });
  await session.prune({ olderThanMs: 0 });
  assert.deepEqual(folder(), []);
});
