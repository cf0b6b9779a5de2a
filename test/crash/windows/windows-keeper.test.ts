import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { openStore } from '../../../src/index.ts';
import { atSomeCalls, isKilled, parse } from '../../support/crashes.ts';
import { factOf, hasFact } from '../../support/logs.ts';
import { root } from '../../support/repository.ts';
import { letRetentionBeDue } from '../../support/retention.ts';
import { windowsTest } from '../../support/windows-test.ts';
import { World } from '../../support/world.ts';

const keeper = new URL('../../../src/bin/keeper.js', import.meta.url).href;
const fixtures = join(root, 'test', 'fixtures');

windowsTest('a keeper that dies at any call loses nothing, and the next one ends what it began', async () => {
  await using world = new World();
  const calls = await live(world, 0);
  assert.ok(calls !== null && calls > 20, `${calls} calls of a life are counted`);
  await atSomeCalls(calls, async (at) => void (await live(world, at)));
});

/** One life of a keeper, and then that of another: a flood to stop, output to cut, a task to remove. */
async function live(world: World, diesAt: number): Promise<number | null> {
  const dir = `${world.dir}/${diesAt}`;
  // What is under test is started below.
  process.env.OUTLIVE_WITHOUT_KEEPER = '1';
  const store = await openStore({ dir });
  const session = await store.session('test', { retentionMs: 0 });
  const old = await session.spawn('true');
  await old.wait();
  const go = `${world.base}/go-${diesAt}`;
  const wait = `until [ -e ${go} ]; do sleep 0.02; done`;
  const flood = await session.spawn(`${wait}; seq 1 20000; sleep 1000`, {
    maxOutputBytes: 50_000,
    keepOutputBytes: 1_000,
    graceMs: 50,
  });
  await store.close();
  letRetentionBeDue(dir);
  writeFileSync(go, '');
  const { calls, isDead, code } = await keep(dir, diesAt);
  assert.ok(isDead || code === 0, `the keeper ended with ${code}`);
  assert.equal((await keep(dir, 0)).code, 0);
  const log = world.logOf(flood.id);
  const { status, reason } = factOf(log, 'outcome');
  assert.deepEqual([status, reason], ['killed', 'output_limit'], `died at ${diesAt}`);
  assert.ok(hasFact(log, 'cut') && !hasFact(log, 'delivered'));
  assert.deepEqual(world.pidsOf(flood.id), []);
  const strays = world
    .files()
    .filter((path) => path.startsWith(`/${diesAt}/`) && /keeper-|\.(tmp|cut|removed)$/.test(path));
  assert.deepEqual(strays, [], `died at ${diesAt}`);
  return calls;
}

async function keep(
  dir: string,
  diesAt: number,
): Promise<{ calls: number | null; code: number | null; isDead: boolean }> {
  const program = [
    '--import',
    pathToFileURL(join(fixtures, 'dies-at-call.mjs')).href,
    join(fixtures, 'keeper-dies-at-call.mjs'),
  ];
  const child = spawn(process.execPath, [...program, keeper, dir, `${dir}/keeper-0000000000000000-1-1`], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, DIES_AT_CALL: String(diesAt) },
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (more: string) => {
    text += more;
  });
  const [code, killSignal] = (await once(child, 'close')) as [number | null, string | null];
  return { calls: parse(text).calls, code, isDead: isKilled(killSignal, text) };
}
