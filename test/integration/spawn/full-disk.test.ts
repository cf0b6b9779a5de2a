import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SmallDisk } from '../../support/small-disk.ts';
import { quote, World } from '../../support/world.ts';

test('exit codes survive a disk that commands have filled, and completions are delivered', async () => {
  await using world = new World();
  const disk = new SmallDisk(world);
  await using agent = await disk.agent();
  // They fill the disk when all of them are there.
  const spawned = `${world.base}/spawned`;
  const then = `until [ -e ${quote(spawned)} ]; do sleep 0.02; done`;
  const commands = [
    disk.waiting('exit 0'),
    disk.waiting('exit 5'),
    `${then}; ${disk.fill}; exit 3`,
    `${then}; head -c 1000000 /dev/zero; exit 4`,
  ];
  const ended = await agent.run(
    async ({ session, fs }, { texts, gate }) => {
      const tasks = await Promise.all(texts.map((text) => session.spawn(text)));
      fs.writeFileSync(gate, '');
      return await Promise.all(tasks.slice(2).map((task) => task.wait({ ack: false })));
    },
    { texts: commands, gate: spawned },
  );
  assert.deepEqual(
    ended.map(({ exitCode }) => exitCode),
    [3, 4],
  );
  disk.go();
  const codes = await agent.run(async ({ session }) => {
    const found: (number | null)[] = [];
    for await (const completion of session.completions()) {
      if (!(await completion.ack())) continue;
      found.push(completion.exitCode);
      if (found.length === 4) break;
    }
    return found;
  });
  assert.deepEqual(codes.sort(), [0, 3, 4, 5]);
  // It is on the disk: another process finds the same, and nothing that is pending.
  await using other = await disk.join(agent);
  const [statuses, pending] = await other.run(
    async ({ session }) =>
      [
        (await session.tasks()).map(({ status, exitCode, delivered }) => ({ status, exitCode, delivered })),
        await session.pending(),
      ] as const,
  );
  assert.deepEqual(pending, []);
  assert.deepEqual(
    statuses.sort((a, b) => (a.exitCode ?? 0) - (b.exitCode ?? 0)),
    [0, 3, 4, 5].map((exitCode) => ({
      status: exitCode === 0 ? 'completed' : 'failed',
      exitCode,
      delivered: true,
    })),
  );
});

test('on a full disk the next process settles tasks that ended without a supervisor', async () => {
  await using world = new World();
  const disk = new SmallDisk(world);
  // Of another session, so that it supervises none of the tasks.
  await using first = await disk.agent('first');
  await using agent = await disk.join(first);
  const [ends, isKilled, isStopped] = await agent.run(
    async ({ session }, texts) => {
      const tasks = await Promise.all(texts.map((text) => session.spawn(text)));
      await (await session.spawn('true')).wait();
      return tasks.map(({ id }) => id);
    },
    [disk.waiting('exit 6'), 'exec sleep 300', 'sleep 300'],
  );
  await agent.crash();
  await first.run(
    ({ childProcess }, command) => void childProcess.spawnSync('sh', ['-c', command]),
    disk.fill,
  );
  disk.go();
  await using next = await disk.join(first);
  const snapshots = await next.run(
    async ({ session }, ids) => {
      process.kill(session.task(ids.isKilled ?? '').snapshot().shimPid ?? 0, 'SIGKILL');
      return [
        await session.task(ids.ends ?? '').wait({ ack: false }),
        await session.task(ids.isKilled ?? '').wait({ ack: false }),
        await session.task(ids.isStopped ?? '').kill({ graceMs: 1_000 }),
        await session.task(ids.isKilled ?? '').kill({ graceMs: 0 }),
      ];
    },
    { ends, isKilled, isStopped },
  );
  assert.deepEqual(
    snapshots.map(({ status }) => status),
    ['failed', 'lost', 'killed', 'lost'],
  );
  assert.equal(snapshots[0]?.exitCode, 6);
  assert.deepEqual(snapshots[3]?.leftovers, []);
});

test('a spawn on a full disk is refused, and leaves nothing', async () => {
  await using world = new World();
  const disk = new SmallDisk(world);
  await using agent = await disk.agent('test', { diskReserveBytes: null });
  const result = await agent.run(
    async ({ session, fs, childProcess, OutliveError, store }, { fill }) => {
      await (await session.spawn('true')).wait();
      const list = (): string[] =>
        fs
          .readdirSync(store.dir, { recursive: true, encoding: 'utf8' })
          .filter((path) => !path.startsWith('retained-'))
          .sort();
      // What has ended is put away.
      while (!list().some((path) => /\/done\/.*jsonl$/.test(path)))
        await new Promise((resolve) => setTimeout(resolve, 5));
      childProcess.spawnSync('sh', ['-c', fill]);
      const before = list();
      const codes: string[] = [];
      for (const command of ['echo ran >&2', `echo ${'x'.repeat(200_000)}`]) {
        await session.spawn(command).catch((error: unknown) => {
          codes.push(error instanceof OutliveError ? `${error.code} ${error.message}` : String(error));
        });
      }
      return { codes, before, after: list(), tasks: (await session.tasks()).length };
    },
    { fill: disk.fill },
  );
  assert.deepEqual(result.after, result.before);
  assert.equal(result.tasks, 1);
  assert.equal(result.codes.length, 2);
  for (const message of result.codes)
    assert.match(message, /^STORE_UNWRITABLE .*its disk is full.*Nothing was started/);
});
