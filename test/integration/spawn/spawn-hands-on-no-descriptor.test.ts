import assert from 'node:assert/strict';
import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { test } from 'node:test';
import { Agent } from '../../support/agents.ts';
import { factOf } from '../../support/logs.ts';
import { untilStarted } from '../../support/ready.ts';
import { isLive, quote, World, waitFor } from '../../support/world.ts';

const numbers = [63, 251, 1000];

test('neither the command nor the shim inherits open descriptors of the agent, and their readers see the end', async () => {
  await using world = new World();
  const sawEnd = (number: number): string => `${world.base}/end-of-${number}`;
  // As in `exec 63> >(logger)` of an agent's wrapper. Node hands such descriptors on to what it starts.
  const reads = (number: number): string => `>(cat; : >${quote(sawEnd(number))})`;
  // Where the shell names the pipe itself, it takes 63.
  const opened = numbers.slice(1).map((number) => `exec ${number}> ${reads(number)};`);
  const agent = await Agent.start(world.dir, {
    before: ['bash', '-c', `ulimit -n 4096; ${opened.join(' ')} exec "$@" ${reads(63)}`, 'bash'],
  });
  await using _ = agent;
  const inherited = readdirSync(`/proc/${agent.pid}/fd`);
  for (const number of numbers) assert.ok(inherited.includes(String(number)), `the agent has ${number}`);
  const [stays, listed = ''] = await agent.run(async ({ session }) => {
    const task = await session.spawn('sleep 300 & setsid sleep 300 & sleep 300');
    return [task.id, (await session.run('ls /proc/self/fd')).output.text] as const;
  });
  assert.equal(listed, '0\n1\n2\n3\n');
  await untilStarted(world, stays);
  const { pid, shimPid } = factOf(world.logOf(stays), 'started');
  await waitFor(() => world.pidsOf(stays).length > 2, 'its processes');
  for (const one of [...world.pidsOf(stays), pid])
    assert.deepEqual(readdirSync(`/proc/${one}/fd`), ['0', '1', '2']);
  const targets = readdirSync(`/proc/${shimPid}/fd`).map((fd) => readlinkSync(`/proc/${shimPid}/fd/${fd}`));
  const pipes = targets.filter((target) => target.startsWith('pipe:'));
  const readers = numbers.map((number) => readlinkSync(`/proc/${agent.pid}/fd/${number}`));
  assert.deepEqual(
    pipes.filter((pipe) => readers.includes(pipe)),
    [],
  );
  assert.deepEqual(
    numbers.filter((number) => existsSync(sawEnd(number))),
    [],
  );
  await agent.crash();
  for (const number of numbers) await waitFor(() => existsSync(sawEnd(number)), `the end of ${number}`);
  assert.ok(isLive(pid) && isLive(shimPid));
  assert.equal((await (await world.session()).task(stays).kill({ graceMs: 100 })).status, 'killed');
});

test('a pipe to which the agent writes ends with the agent, not with its tasks', async () => {
  await using world = new World();
  await using agent = await Agent.start(world.dir);
  const ends = await agent.run(async ({ childProcess, session }) => {
    // One of our own, that everybody who is started meanwhile would inherit if it were not closed.
    const reader = childProcess.spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] });
    const task = await session.spawn('sleep 300');
    while (task.snapshot().pid === null) await new Promise((resolve) => setTimeout(resolve, 10));
    const ended = new Promise((resolve) => reader.once('exit', resolve));
    reader.stdin.end();
    const code = await ended;
    return [code, (await task.kill({ graceMs: 100 })).status];
  });
  assert.deepEqual(ends, [0, 'killed']);
});
