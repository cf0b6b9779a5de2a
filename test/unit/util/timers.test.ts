import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { after, holdProcess } from '../../../src/util/wait.ts';

const run = promisify(execFile);
const longest = 2 ** 31 - 1;

test('a timer longer than the limit of Node fires at its time, and not before', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let calls = 0;
  after(3 * longest + 7, () => {
    calls += 1;
  });
  for (let part = 0; part < 3; part += 1) {
    t.mock.timers.tick(longest);
    assert.equal(calls, 0);
  }
  t.mock.timers.tick(6);
  assert.equal(calls, 0);
  t.mock.timers.tick(1);
  assert.equal(calls, 1);
  t.mock.timers.tick(longest);
  assert.equal(calls, 1);
});

test('a cancelled timer never fires, in whichever of its parts it is', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const timer = after(longest + 10, () => assert.fail('it went off'));
  t.mock.timers.tick(longest + 5);
  timer.cancel();
  timer.cancel();
  t.mock.timers.tick(2 * longest);
});

test('a timer whose time has passed fires at the next turn', async () => {
  await new Promise<void>((resolve) => {
    const hold = setInterval(() => undefined, 1_000);
    after(-5, () => {
      clearInterval(hold);
      resolve();
    });
  });
});

test('a timer does not keep the process alive', () => {
  const before = held();
  const timer = after(60_000, () => undefined);
  assert.equal(held(), before);
  timer.cancel();
});

test('a program that only sleeps wakes up again', async () => {
  const module = new URL('../../../src/util/wait.js', import.meta.url).href;
  const program = `const { sleep } = await import('${module}'); await sleep(20); console.log('awake');`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program]);
  assert.equal(stdout, 'awake\n');
});

test('the process stays alive until every hold on it is released', () => {
  const before = held();
  const [first, second] = [holdProcess(), holdProcess()];
  assert.equal(held(), before + 1);
  first();
  first();
  assert.equal(held(), before + 1, 'letting go twice let go for somebody else');
  second();
  assert.equal(held(), before);
  holdProcess()();
  assert.equal(held(), before);
});

/** Timers that keep this process alive. */
function held(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
}
