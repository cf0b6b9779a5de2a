import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openStore } from '../../../src/index.ts';
import { Agent } from '../../support/agents.ts';
import { burst, forkServersOf } from '../../support/fork-servers.ts';
import { lives } from '../../support/processes.ts';
import { World, waitFor } from '../../support/world.ts';

/**
 * Has a process start its fork server with three tasks, and stops it. A fourth spawn has been asked for then, and keeps
 * it, however long the next ones take.
 */
async function stoppedServer(world: World, agent: Agent): Promise<number> {
  await agent.run(async ({ session }) => {
    const tasks = await Promise.all([1, 2, 3].map(() => session.spawn('true')));
    await Promise.all(tasks.map((task) => task.wait()));
  });
  const [server] = forkServersOf(agent.pid);
  assert.ok(server !== undefined, 'there is a fork server');
  process.kill(server, 'SIGSTOP');
  await agent.run(({ session }) => void session.spawn('true').catch(() => undefined));
  await waitFor(() => world.taskIds().length === 4, 'the record of the fourth');
  return server;
}

test('a change of this process reaches the next command although spawns follow without a pause', async () => {
  await using world = new World();
  await using agent = await Agent.start(world.dir, { session: { maxRunning: 100 } });
  const said = await agent.run(async ({ session, fs, store }) => {
    const answers: Record<string, string> = {};
    let isOver = false;
    // Two after each other at any time: there is no moment in which none is on its way.
    const goOn = async (): Promise<void> => {
      while (!isOver) await (await session.spawn('true')).wait();
    };
    const stream = [goOn(), goOn(), goOn()];
    for (const mask of [0o027, 0o077, 0o002]) {
      for (let n = 0; n < 5; n += 1) await session.spawn('true');
      process.umask(mask);
      const task = await session.spawn('umask; pwd; echo "$MASK"', {
        env: { MASK: `${mask}` },
        cwd: fs.realpathSync(store.dir),
      });
      await task.wait();
      answers[`${mask}`] = (await task.tail()).text;
    }
    isOver = true;
    await Promise.all(stream);
    return answers;
  });
  const words = (mask: number): string => `0${mask.toString(8).padStart(3, '0')}\n${world.dir}\n${mask}\n`;
  assert.deepEqual(said, Object.fromEntries([0o027, 0o077, 0o002].map((mask) => [mask, words(mask)])));
});

test('a change between two spawns of a burst holds for the later ones', async () => {
  await using world = new World();
  await using agent = await Agent.start(world.dir, { session: { maxRunning: 100 } });
  const folders = [0, 1, 2, 3, 4, 5].map((index) => join(world.base, `folder-${index}`));
  for (const folder of folders) mkdirSync(folder);
  const said = await agent.run(async ({ session }, names) => {
    const tasks = names.map(async (name, index) => {
      process.chdir(name);
      process.env.OF_ITS_OWN = `value ${index}`;
      const task = await session.spawn('pwd; echo "$OF_ITS_OWN"');
      await task.wait();
      return (await task.tail()).text;
    });
    return await Promise.all(tasks);
  }, folders);
  assert.deepEqual(
    said,
    folders.map((folder, index) => `${folder}\nvalue ${index}\n`),
  );
});

test('an environment that is too large is refused in a burst, and harms none of the other spawns', async () => {
  await using world = new World();
  const session = await world.session('test', { maxRunning: 100 });
  const large = Object.fromEntries(
    Array.from({ length: 400 }, (_none, index) => [`LARGE_${index}`, 's'.repeat(100 * 1024)]),
  );
  const many = Object.fromEntries(
    Array.from({ length: 150_000 }, (_none, index) => [`V${index}`, '12345678']),
  );
  const wide = { WIDE: 'ü'.repeat(9 * 1024 * 1024) };
  for (const env of [large, many, wide]) {
    const outcomes = await burst(3, (index) =>
      (index === 1 ? session.spawn('exit 9', { env }) : session.spawn('exit 3')).then(
        async (task) => (await task.wait()).exitCode,
        (error: { code?: string }) => error.code,
      ),
    );
    assert.deepEqual(outcomes, [3, 'INVALID_ENV', 3]);
  }
});

test('a suspended fork server goes on when its store is closed, and every spawn is answered', async () => {
  await using world = new World();
  await using agent = await Agent.start(world.dir, { session: { maxRunning: 100 } });
  const server = await stoppedServer(world, agent);
  const ran = join(world.base, 'ran');
  const outcomes = await agent.run(async ({ session, store }, path) => {
    const spawns = Array.from({ length: 5 }, () =>
      session.spawn(`echo ran >> '${path}'; exit 3`).then(
        ({ id }) => id,
        ({ code }: { code: string }) => code,
      ),
    );
    // They are in the pipe.
    await new Promise((next) => setTimeout(next, 50));
    await store.close();
    return await Promise.all(spawns);
  }, ran);
  await waitFor(() => !lives(server), 'the fork server to end');
  const session = await world.session();
  for (const outcome of outcomes) {
    assert.match(outcome, /^bgb-/);
    assert.equal((await session.task(outcome).wait()).exitCode, 3);
  }
  assert.equal(readFileSync(ran, 'utf8'), 'ran\n'.repeat(5));
});

test('a fork server that stays suspended is gone with its spawner, and nothing runs unrecorded', async () => {
  await using world = new World();
  const agent = await Agent.start(world.dir, { session: { maxRunning: 100 } });
  const server = await stoppedServer(world, agent);
  const ran = join(world.base, 'ran');
  const spawns = agent.run(
    async ({ session }, path) =>
      await Promise.all(Array.from({ length: 5 }, () => session.spawn(`echo ran >> '${path}'`))),
    ran,
  );
  spawns.catch(() => undefined);
  await waitFor(() => world.taskIds().length === 9, 'the records');
  await agent.crash();
  await waitFor(() => !lives(server), 'the fork server to end');
  const session = await world.session();
  for (const { taskId } of await session.tasks())
    assert.match((await session.task(taskId).wait()).status, /^(?:completed|failed)$/);
  assert.equal(readdirSync(world.base).includes('ran'), false);
});

test('2,000 spawns while a fork server is suspended fill its pipe, and all are answered when it goes on', async () => {
  await using world = new World();
  await using agent = await Agent.start(world.dir, { session: { maxRunning: 3_000 } });
  const server = await stoppedServer(world, agent);
  const count = 2_000;
  const spawns = agent.run(async ({ session }, times) => {
    const tasks = await Promise.all(Array.from({ length: times }, () => session.spawn('exit 3')));
    const ends = await Promise.all(tasks.map((task) => task.wait()));
    return ends.filter(({ exitCode }) => exitCode === 3).length;
  }, count);
  await waitFor(() => world.taskIds().length === count + 4, 'the records', 60_000);
  // On a slow machine its spawner has given it up by then, and starts them without it.
  if (lives(server)) process.kill(server, 'SIGCONT');
  assert.equal(await spawns, count);
  await waitFor(() => !lives(server), 'the fork server to end');
  const left = await agent.run(({ fs }) =>
    fs.readdirSync('/proc/self/fd').flatMap((fd) => {
      try {
        const name = fs.readlinkSync(`/proc/self/fd/${fd}`);
        return name.endsWith('.jsonl') ? [name] : [];
      } catch {
        return [];
      }
    }),
  );
  assert.deepEqual(left, []);
});

test('a store that is closed at any turn of a burst answers each spawn, and what runs is recorded', async () => {
  await using world = new World();
  for (let turns = 0; turns < 24; turns += 1) {
    const store = await openStore({ dir: world.dir });
    const session = await store.session(`case-${turns}`, { maxRunning: 100 });
    const ran = join(world.base, `ran-${turns}`);
    const spawns = Array.from({ length: 6 }, () =>
      session.spawn(`echo ran >> '${ran}'; exit 3`).then(
        ({ id }) => id,
        ({ code }: { code: string }) => code,
      ),
    );
    for (let turn = 0; turn < turns; turn += 1) await new Promise((next) => setImmediate(next));
    await store.close();
    const outcomes = await Promise.all(spawns);
    const again = await (await openStore({ dir: world.dir })).session(`case-${turns}`);
    const ends = await Promise.all(
      (await again.tasks()).map(async ({ taskId }) => await again.task(taskId).wait()),
    );
    await again.close();
    const ids = outcomes.filter((outcome) => outcome.startsWith('bgb-'));
    const refused = outcomes.filter((outcome) => !ids.includes(outcome));
    assert.deepEqual(
      [...new Set(refused)].filter((code) => code !== 'CLOSED'),
      [],
      `closed after ${turns} turns`,
    );
    for (const id of ids)
      assert.ok(
        ends.some(({ taskId }) => taskId === id),
        `${id} has a record`,
      );
    const lines =
      ends.length === 0 ? '' : 'ran\n'.repeat(ends.filter(({ exitCode }) => exitCode === 3).length);
    writeFileSync(ran, '', { flag: 'a' });
    assert.equal(readFileSync(ran, 'utf8'), lines);
  }
  await waitFor(() => forkServersOf(process.pid).length === 0, 'all fork servers to end');
});

/** A user of whom nothing else runs; root has no limit on processes. */
const user = 54_322;

for (const limit of ['--nproc=1:', '--nofile=5:'])
  test(`a task that a fork server cannot start under ${limit} is started without the fork server`, async () => {
    await using world = new World();
    chmodSync(world.base, 0o755);
    chownSync(world.base, user, user);
    await using agent = await Agent.start(world.dir, {
      before: ['setpriv', `--reuid=${user}`, `--regid=${user}`, '--clear-groups'],
      env: { HOME: world.base },
      session: { maxRunning: 100 },
    });
    const server = await stoppedServer(world, agent);
    // Only its own user may set its limits.
    const words = ['--pid', `${server}`, limit];
    await agent.run(({ childProcess }, given) => void childProcess.execFileSync('prlimit', given), words);
    process.kill(server, 'SIGCONT');
    const answers = async (): Promise<string[]> =>
      await agent.run(
        async ({ session }) =>
          await Promise.all(
            Array.from({ length: 8 }, () =>
              session.spawn('exit 3').then(
                async (task) => `${(await task.wait()).exitCode}`,
                ({ code }: { code: string }) => code,
              ),
            ),
          ),
      );
    assert.deepEqual(await answers(), Array(8).fill('3'));
    assert.deepEqual(forkServersOf(agent.pid), [server]);
    assert.equal(world.taskIds().length, 4 + 8);
  });
