import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { SpawnOptions, TaskSnapshot } from '../../../src/index.ts';
import { LoadBeside } from '../../support/load-beside.ts';
import { factOf, hasFact } from '../../support/logs.ts';
import { untilStarted } from '../../support/ready.ts';
import { fixture, isLive, processes, quote, World, waitFor } from '../../support/world.ts';

/** What runs on without showing whose it is: no variable, no group, no session of the task, no heed of SIGTERM. */
const ways: [string, string][] = [
  ['runs in a session of its own without any variable', fixture('sheds-everything.sh')],
  ['writes over its environment and its arguments', `setsid ${fixture('overwrites-itself.mjs')}`],
  [
    'is handed on twice, each time into a session of its own',
    `env -i PATH="$PATH" setsid sh -c ${'\'setsid sh -c "trap \\"\\" TERM; echo ready \\$\\$; while :; do sleep 0.05; done" &\''}`,
  ],
  ['closes all that it has inherited', `(exec 0<&- 2<&-; exec ${fixture('sheds-everything.sh')})`],
];

/** A command that ends as soon as what it leaves is there. */
function leaving(world: World, hidden: string): string {
  return `{ ${hidden}; } >${world.base}/said & until grep -q ready ${world.base}/said; do sleep 0.01; done`;
}

/** The pid that it has told. */
function hiddenPid(world: World): number {
  return Number(/ready (\d+)/.exec(readFileSync(`${world.base}/said`, 'utf8'))?.[1]);
}

for (const [what, hidden] of ways) {
  test(`a process that ${what} is named when its command ends, and gone after a stop`, async () => {
    await using world = new World();
    await using _ = killedInTheEnd(world);
    const session = await world.session();
    const { snapshot, task } = await session.run(leaving(world, hidden));
    const pid = hiddenPid(world);
    const named = snapshot.leftovers.map((leftover) => leftover.pid);
    assert.ok(isLive(pid) && named.includes(pid), `expected ${pid} among ${named}`);
    assert.deepEqual((await task.kill({ graceMs: 50 })).leftovers, []);
    assert.equal(isLive(pid), false);
    await waitFor(() => hasFact(world.logOf(task.id), 'gone'), 'the shim to say that nothing is left');
  });

  test(`a process that ${what} is gone when its task kills leftovers, and when it is stopped`, async () => {
    const stops: [SpawnOptions, string, TaskSnapshot['status']][] = [
      [{ leftovers: 'kill', graceMs: 50 }, '', 'completed'],
      [{ leftovers: 'wait', graceMs: 50 }, '', 'completed'],
      [{ leftovers: 'report', graceMs: 50 }, '; sleep 300', 'killed'],
    ];
    for (const [options, rest, status] of stops) {
      await using world = new World();
      await using _ = killedInTheEnd(world);
      const session = await world.session();
      const task = await session.spawn(leaving(world, hidden) + rest, options);
      await waitFor(
        async () => hasFact(world.logOf(task.id), rest === '' ? 'exit' : 'started'),
        'the command',
      );
      if (rest !== '') await waitFor(() => /ready \d/.test(said(world)), 'the process');
      const pid = hiddenPid(world);
      if (options.leftovers === 'wait') {
        assert.equal(task.snapshot().status, 'running');
        assert.ok(isLive(pid));
        process.kill(pid, 'SIGKILL');
      }
      const end = rest === '' ? await task.wait() : await task.kill();
      assert.deepEqual([end.status, end.leftovers], [status, []]);
      assert.equal(isLive(pid), false);
    }
  });
}

/** Processes of the chain of a world, which show its name in their arguments. */
function links(world: World): number[] {
  return processes().filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(`hands-on-unseen.sh\0${world.base}/`);
    } catch {
      return false;
    }
  });
}

/** One look may miss a process that hands on all the time. */
function linksInManyLooks(world: World): number[] {
  return Array.from({ length: 20 }, () => links(world)).flat();
}

/** A command that begins a chain of processes without variables, each in a session of its own. */
function chain(world: World): string {
  return fixture('hands-on-unseen.sh', `${world.base}/stop`);
}

test('a chain of hidden processes that re-fork every few milliseconds is named, and gone after a stop', async () => {
  for (let round = 0; round < 5; round += 1) {
    await using world = new World();
    using _ = endedByItsFile(world);
    const session = await world.session();
    const { snapshot, task } = await session.run(chain(world));
    assert.notDeepEqual(snapshot.leftovers, []);
    assert.deepEqual((await task.kill({ graceMs: 20 })).leftovers, []);
    assert.deepEqual(linksInManyLooks(world), []);
  }
});

test('a chain of hidden processes is gone when its task kills leftovers, or is stopped', async () => {
  for (const rest of ['', '; sleep 300']) {
    await using world = new World();
    using _ = endedByItsFile(world);
    const session = await world.session();
    const task = await session.spawn(chain(world) + rest, { leftovers: 'kill', graceMs: 20 });
    if (rest !== '') await waitFor(() => task.snapshot().output.bytes > 3, 'the chain');
    const end = rest === '' ? await task.wait() : await task.kill();
    assert.deepEqual([end.status, end.leftovers], [rest === '' ? 'completed' : 'killed', []]);
    assert.deepEqual(linksInManyLooks(world), []);
  }
});

test('a task with leftovers "wait" runs as long as a chain of hidden processes does', async () => {
  await using world = new World();
  using _ = endedByItsFile(world);
  const session = await world.session();
  const task = await session.spawn(chain(world), { leftovers: 'wait' });
  await waitFor(() => hasFact(world.logOf(task.id), 'exit'), 'the end of the command');
  await waitFor(() => task.snapshot().output.bytes > 100, 'a hundred of them');
  assert.equal(task.snapshot().status, 'running');
  writeFileSync(`${world.base}/stop`, '');
  const end = await task.wait();
  assert.deepEqual([end.status, end.leftovers], ['completed', []]);
  assert.deepEqual(linksInManyLooks(world), []);
});

test('a process that re-forks at the moment when its command ends is named each time', async () => {
  await using world = new World();
  await using _ = new LoadBeside(2);
  const session = await world.session();
  const ways = [
    'env -i setsid sh -c "/bin/sleep 300 & /bin/true" &',
    '(env -i setsid sh -c "/bin/sleep 300 &" &)',
    'env -i sh -c "sh -c \'/bin/sleep 300 &\' &" &',
  ];
  const missed: unknown[] = [];
  for (let round = 0; round < 90; round += 1) {
    const command = ways[round % ways.length] ?? '';
    const { task, snapshot } = await session.run(command);
    if (snapshot.leftovers.length === 0) missed.push([round, command]);
    assert.deepEqual((await task.kill({ graceMs: 200 })).leftovers, []);
    await waitFor(() => hasFact(world.logOf(task.id), 'gone'), 'the shim to say that nothing is left');
  }
  assert.deepEqual(missed, []);
});

test('a chain of hidden processes is named although it re-forks faster than outlive can list processes', async () => {
  await using world = new World();
  using _ = endedByItsFile(world);
  const session = await world.session();
  for (let round = 0; round < 10; round += 1) {
    const go = `${world.base}/go-${round}`;
    const task = await session.spawn(`until [ -e ${quote(go)} ]; do sleep 0.02; done; ${chain(world)}`);
    await untilStarted(world, task.id);
    const { shimPid } = factOf(world.logOf(task.id), 'started');
    // Whatever it opens it gets late, as on a machine that is busy.
    const inject = ['-e', 'trace=openat', '-e', `inject=openat:delay_exit=${(round + 1) * 500}`];
    const tracer = spawn('strace', ['-q', '-o', '/dev/null', ...inject, '-p', String(shimPid)]);
    const traced = (): boolean => !/TracerPid:\s+0$/m.test(readFileSync(`/proc/${shimPid}/status`, 'utf8'));
    await waitFor(traced, 'strace');
    writeFileSync(go, '');
    const { leftovers } = await task.wait();
    const ended = once(tracer, 'exit');
    tracer.kill('SIGTERM');
    await ended;
    assert.notDeepEqual(leftovers, [], `${(round + 1) / 2} ms late`);
    assert.deepEqual((await task.kill({ graceMs: 20 })).leftovers, []);
  }
});

function said(world: World): string {
  try {
    return readFileSync(`${world.base}/said`, 'utf8');
  } catch {
    return '';
  }
}

/** What shows nobody whose it is goes with the test, also when that fails. */
function killedInTheEnd(world: World): AsyncDisposable {
  return {
    [Symbol.asyncDispose]: async () => {
      const pid = /ready (\d+)/.exec(said(world))?.[1];
      if (pid !== undefined && isLive(Number(pid))) process.kill(Number(pid), 'SIGKILL');
    },
  };
}

function endedByItsFile(world: World): Disposable {
  return { [Symbol.dispose]: () => writeFileSync(`${world.base}/stop`, '') };
}
