import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { shimProgram } from '../../../src/shim/program.ts';
import { Agent } from '../../support/agents.ts';
import { burst, forkServersOf } from '../../support/fork-servers.ts';
import { lives } from '../../support/processes.ts';
import { World, waitFor } from '../../support/world.ts';

test('a burst is forked by a fork server that ends a second after it', async () => {
  await using world = new World();
  const session = await world.session('test', { maxRunning: 100 });
  await session.run('true');
  assert.deepEqual(forkServersOf(process.pid), []);
  const folder = world.base;
  const command = 'echo "$WHO $PWD"; readlink /proc/$$/fd/0; exit $CODE';
  const tasks = await burst(30, (index) =>
    session.spawn(command, { cwd: folder, env: { WHO: `${index} ü`, CODE: `${index}` } }),
  );
  assert.equal(forkServersOf(process.pid).length, 1);
  const ends = await Promise.all(tasks.map((task) => task.wait()));
  assert.deepEqual(
    ends.map(({ exitCode }) => exitCode),
    tasks.map((_task, index) => index),
  );
  const texts = await Promise.all(tasks.map(async (task) => (await task.tail()).text));
  assert.deepEqual(
    texts,
    tasks.map((_task, index) => `${index} ü ${folder}\n/dev/null\n`),
  );
  await waitFor(() => forkServersOf(process.pid).length === 0, 'the fork server to end');
  // And the next burst has one again.
  const more = await burst(5, () => session.spawn('true'));
  assert.equal(forkServersOf(process.pid).length, 1);
  await Promise.all(more.map((task) => task.wait()));
});

test('changes of this process between two bursts reach the commands of the second', async () => {
  await using world = new World();
  await using agent = await Agent.start(world.dir, { session: { maxRunning: 100 } });
  const said = await agent.run(async ({ session, childProcess }) => {
    const answers = async (): Promise<string[]> => {
      const tasks = await Promise.all(Array.from({ length: 5 }, () => session.spawn('umask; nice')));
      await Promise.all(tasks.map((task) => task.wait()));
      return await Promise.all(tasks.map(async (task) => (await task.tail()).text));
    };
    const all: string[][] = [];
    for (const mask of [0o077, 0o027, 0o002]) {
      process.umask(mask);
      all.push(await answers());
    }
    childProcess.execFileSync('renice', ['-n', '7', '-p', `${process.pid}`]);
    all.push(await answers());
    return all;
  });
  const own = getPriority();
  const words = [`0077\n${own}\n`, `0027\n${own}\n`, `0002\n${own}\n`, '0002\n7\n'];
  assert.deepEqual(
    said,
    words.map((word) => Array(5).fill(word)),
  );
});

test('running tasks survive when a fork server is killed, and tasks that it did not start do not run', async () => {
  await using world = new World();
  const session = await world.session('test', { maxRunning: 1_000 });
  const file = (index: number): string => join(world.base, `ran-${index}`);
  const killer = setInterval(() => {
    for (const pid of forkServersOf(process.pid)) process.kill(pid, 'SIGKILL');
  }, 7);
  const outcomes = await burst(120, async (index) => {
    try {
      const task = await session.spawn(`echo ran >> ${file(index)}; exit 3`);
      return (await task.wait()).exitCode;
    } catch (error) {
      return (error as { code?: string }).code;
    }
  });
  clearInterval(killer);
  assert.deepEqual(
    outcomes.filter((outcome) => outcome !== 3 && outcome !== 'SPAWN_FAILED'),
    [],
  );
  // What the server had not begun is started without it.
  assert.ok(outcomes.filter((outcome) => outcome === 3).length > outcomes.length / 2, outcomes.join());
  // Nothing ran unrecorded, and nothing twice.
  const records = await session.tasks();
  const ran = readdirSync(world.base).filter((name) => name.startsWith('ran-'));
  for (const name of ran) {
    const text = readFileSync(join(world.base, name), 'utf8');
    // A spawn that may have begun is taken back: its command may be killed between making the file and writing to it.
    const wasTakenBack = outcomes[Number(name.slice('ran-'.length))] === 'SPAWN_FAILED';
    assert.ok(text === 'ran\n' || (wasTakenBack && text === ''), `${name}: ${JSON.stringify(text)}`);
  }
  const begun = records.filter(({ status }) => status === 'failed' || status === 'killed');
  assert.ok(ran.length <= begun.length, `${ran.length} ran, ${begun.length} are recorded`);
});

test('a task whose record is removed while the fork server is suspended does not run', async () => {
  await using world = new World();
  const session = await world.session('test', { maxRunning: 100 });
  const first = await burst(3, () => session.spawn('true'));
  await Promise.all(first.map((task) => task.wait()));
  const [server = 0] = forkServersOf(process.pid);
  process.kill(server, 'SIGSTOP');
  const before = new Set(world.taskIds());
  const late = burst(3, () => session.spawn(`touch ${join(world.base, 'ran')}`)).catch(
    (error: unknown) => error,
  );
  await waitFor(() => world.taskIds().length === before.size + 3, 'the records');
  for (const id of world.taskIds()) if (!before.has(id)) rmSync(world.logOf(id));
  process.kill(server, 'SIGCONT');
  const error = await late;
  assert.equal((error as { code?: string }).code, 'STORE_UNWRITABLE');
  assert.match((error as Error).message, /record of a new task/);
  assert.deepEqual(readdirSync(world.base).includes('ran'), false);
});

test('an error of the system in a burst is the same as for a single spawn', async () => {
  await using world = new World();
  const session = await world.session('test', { maxRunning: 100 });
  const env = { LARGE: 's'.repeat(200 * 1024) };
  const outcomes = await burst(6, (index) =>
    (index % 2 === 0 ? session.spawn('true') : session.spawn('touch ran', { env })).then(
      async (task) => (await task.wait()).exitCode,
      (error: { code?: string; message: string }) => [error.code, /found \d+ in "LARGE"/.test(error.message)],
    ),
  );
  const refused = ['INVALID_ENV', true];
  assert.deepEqual(outcomes, [0, refused, 0, refused, 0, refused]);
});

test('a fork server ends with its spawner, and its tasks run on', async () => {
  await using world = new World();
  const agent = await Agent.start(world.dir, { session: { maxRunning: 100 } });
  const ids = await agent.run(async ({ session }) => {
    const tasks = await Promise.all(Array.from({ length: 4 }, () => session.spawn('sleep 1; exit 5')));
    return tasks.map(({ id }) => id);
  });
  const [server = 0] = forkServersOf(agent.pid);
  assert.ok(server > 0);
  await agent.crash();
  await waitFor(() => !lives(server), 'the fork server to end');
  const session = await world.session();
  const ends = await Promise.all(ids.map((id) => session.task(id).wait()));
  assert.deepEqual(
    ends.map(({ exitCode }) => exitCode),
    [5, 5, 5, 5],
  );
});

test('a fork server starts nothing for a request that it does not understand', async () => {
  await using world = new World();
  const program = await shimProgram(world.dir);
  const launch = (...fields: string[]): string => {
    const inner = fields.map((field) => `${field.length}:${field},`).join('');
    return `${inner.length}:${inner},`;
  };
  const ran = join(world.base, 'ran');
  const fields = ['1', '/usr/bin/touch', ran, '/', '/nowhere/log', '1', '2'];
  const cases: [text: string, status: number, said: RegExp][] = [
    ['', 0, /^$/],
    ['12:half a laun', 0, /^$/],
    ['4:none,', 64, /^$/],
    ['3:1:x,,', 64, /^$/],
    [launch(...fields.slice(0, 6)), 64, /^$/],
    [launch('x', ...fields.slice(1)), 64, /^$/],
    [launch(...fields.slice(0, 5), '-1', '2'), 64, /^$/],
    [launch(...fields), 0, /^1 n\n$/],
    [launch('18446744073709551615', ...fields.slice(1)), 0, /^18446744073709551615 n\n$/],
    [launch('1', '/usr/bin/touch', `${ran}\0`, ...fields.slice(3)), 64, /^$/],
  ];
  for (const [text, status, said] of cases) {
    const server = spawn(program, ['serve'], { env: {}, stdio: ['pipe', 'pipe', 'inherit'] });
    let answers = '';
    server.stdout.setEncoding('latin1').on('data', (more: string) => {
      answers += more;
    });
    server.stdin.on('error', () => undefined);
    server.stdin.end(text);
    const [code] = await once(server, 'close');
    assert.equal(code, status, text);
    assert.match(answers, said);
  }
  assert.equal(readdirSync(world.base).includes('ran'), false);
});
