import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Agent } from '../../support/agents.ts';
import { withoutKeeper } from '../../support/orphans.ts';
import { quote, World } from '../../support/world.ts';

const yearMs = 365 * 24 * 3_600_000;

for (const [what, shift] of [
  ['back', -yearMs],
  ['forth', yearMs],
] as const) {
  test(`setting the wall clock ${what} by a year ends no task, removes nothing pending, and makes no time negative`, async () => {
    await using world = new World();
    const go = quote(`${world.base}/go`);
    const options = { env: withoutKeeper, session: { retentionMs: 3_600_000 } };
    await using agent = await Agent.start(world.dir, options);
    const ids = await agent.run(async ({ session, kept }, command) => {
      const tasks = [
        await session.spawn(command, { timeoutMs: 120_000 }),
        await session.spawn(`echo ready; ${command}`, { timeoutMs: 120_000, bindTo: { pid: process.pid } }),
        await session.spawn('exit 4'),
      ];
      await tasks[2]?.wait({ ack: false });
      while (!(await tasks[1]?.tail())?.text) await new Promise((next) => setTimeout(next, 5));
      kept.now = Date.now;
      return tasks.map(({ id }) => id);
    }, `until [ -e ${go} ]; do sleep 0.02; done; exit 3`);
    const setClock = `{const now = Date.now; Date.now = () => now() + ${shift}}`;
    const later = { ...options, node: ['--import', `data:text/javascript,${setClock}`] };
    await using adopter = await Agent.start(world.dir, later);
    const look = async (one: Agent) =>
      await one.run(
        async ({ session, kept }, { all, by }) => {
          const { now } = kept as { now?: () => number };
          if (now !== undefined) Date.now = () => now() + by;
          await session.prune({ olderThanMs: 0 });
          // Two polls.
          await new Promise((next) => setTimeout(next, 2_100));
          const snapshots = all.map((id) => session.task(id).snapshot());
          return {
            statuses: snapshots.map(({ status }) => status),
            pending: (await session.pending()).length,
            times: snapshots.flatMap(({ durationMs }) => (durationMs === null ? [] : [durationMs])),
          };
        },
        { all: ids, by: shift },
      );
    for (const seen of await Promise.all([look(agent), look(adopter)])) {
      assert.deepEqual([seen.statuses, seen.pending], [['running', 'running', 'failed'], 1]);
      for (const time of seen.times) assert.ok(time >= 0 && time < 100_000, `a duration of ${time} ms`);
    }
    const ends = await adopter.run(
      async ({ session, childProcess }, { all, path }) => {
        childProcess.execFileSync('sh', ['-c', `: >${path}`]);
        return await Promise.all(all.map((id) => session.task(id).wait({ ack: false })));
      },
      { all: ids, path: go },
    );
    assert.deepEqual(
      ends.map(({ exitCode }) => exitCode),
      [3, 3, 4],
    );
    for (const { durationMs } of ends)
      assert.ok(durationMs !== null && durationMs >= 0 && durationMs < 100_000, `lasted ${durationMs} ms`);
  });
}
