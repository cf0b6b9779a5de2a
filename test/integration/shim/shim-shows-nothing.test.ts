import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { burst, forkServersOf } from '../../support/fork-servers.ts';
import { factOf } from '../../support/logs.ts';
import { isInMemory } from '../../support/memory.ts';
import { cookieOf } from '../../support/processes.ts';
import { untilPrinted, untilStarted } from '../../support/ready.ts';
import { World, waitFor } from '../../support/world.ts';

/** Those that `pgrep -f` finds by a part of their command line. */
function found(text: string): number[] {
  try {
    return execFileSync('pgrep', ['-f', '--', text], { encoding: 'utf8' }).trim().split('\n').map(Number);
  } catch {
    return [];
  }
}

/** So that no other test has the like. */
const count = 1_000_000_000 + process.pid;

const inputs = [
  [`for i in $(seq 1000); do :; done; while :; do :; done # to ${count}`, `to ${count}`],
  [`exec sleep ${count}`, `sleep ${count}`],
  [`# of ${count}\nwhile :; do\n  :\ndone`, `of ${count}`],
] as const;

for (const [command, text] of inputs) {
  test(`pgrep -f finds ${JSON.stringify(command)} once, and its end by SIGKILL is recorded`, async () => {
    await using world = new World();
    const session = await world.session();
    const task = await session.spawn(command);
    await untilStarted(world, task.id);
    const { pid } = factOf(world.logOf(task.id), 'started');
    // A child that has not executed its own program yet looks like its parent.
    await waitFor(() => found(text).join() === String(pid), 'the command, and nothing else, to be found');
    for (const one of found(text)) process.kill(one, 'SIGKILL');
    const { status, statusReason, exitCode, exitSignal, leftovers } = await task.wait();
    assert.deepEqual([status, statusReason, exitCode, exitSignal], ['failed', 'signal', 137, 'SIGKILL']);
    assert.deepEqual(leftovers, []);
  });
}

test('ps shows a shim by its name and the id of its task', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('sleep 300');
  await untilStarted(world, task.id);
  const { shimPid } = factOf(world.logOf(task.id), 'started');
  const shown = execFileSync('ps', ['-o', 'comm=,args=', '-p', String(shimPid)], { encoding: 'utf8' });
  assert.equal(shown.trim().replace(/ +/g, ' '), `outlive-shim outlive-shim ${task.id}`);
  assert.deepEqual(found(task.id), [shimPid]);
});

test('secrets of the environment, the command and the request are not in a shim whose command runs', async () => {
  await using world = new World();
  const session = await world.session();
  const [secret, word] = ['s3cret-of-the-environment', 'w0rd-of-the-command'];
  const command = `echo "$SECRET" | md5sum; env | grep -c OUTLIVE_REQUEST; echo counted; sleep 300 # ${word}`;
  const task = await session.spawn(command, { env: { SECRET: secret } });
  await untilPrinted(task, '-\n0\ncounted');
  const { pid, shimPid } = factOf(world.logOf(task.id), 'started');
  const { cookie } = factOf(world.logOf(task.id), 'spec');
  await waitFor(() => !isInMemory(shimPid, secret), 'the environment to be wiped');
  const shown = readFileSync(`/proc/${shimPid}/environ`, 'latin1').replace(/\0+$/, '');
  assert.equal(shown, `OUTLIVE_TASK=${cookie}`);
  assert.ok(isInMemory(pid, secret), 'the command has it');
  assert.equal(cookieOf(pid), cookie);
  // The variable's name is a constant of the program; what follows it in a request is the id.
  for (const text of [word, secret, 'proof=']) assert.equal(isInMemory(shimPid, text), false, text);
});

test('secrets of an environment do not stay in the memory of a fork server', async () => {
  await using world = new World();
  const session = await world.session('test', { maxRunning: 100 });
  await Promise.all((await burst(3, () => session.spawn('true'))).map((task) => task.wait()));
  const [server = 0] = forkServersOf(process.pid);
  // While it stands still more comes than it can read at once, so it reads parts of launches, and moves them.
  process.kill(server, 'SIGSTOP');
  const secret = ['not', 'to', 'be', 'found', process.pid].join('-');
  const env = { SECRET: secret, LARGE: secret.padEnd(50_000, '.') };
  const spawns = burst(40, () => session.spawn('true', { env }));
  await waitFor(() => world.taskIds().length === 43, 'the records');
  process.kill(server, 'SIGCONT');
  const tasks = await spawns;
  assert.deepEqual(forkServersOf(process.pid), [server]);
  assert.equal(isInMemory(server, 'outlive-fork-server'), true);
  assert.equal(isInMemory(server, secret), false);
  await Promise.all(tasks.map((task) => task.wait()));
});
