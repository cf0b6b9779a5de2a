import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { openStore } from '../../../src/index.ts';
import { sessionPaths } from '../../../src/tasklog/paths.ts';
import { encodeSessionRecord } from '../../../src/tasklog/records.ts';
import { Agent } from '../../support/agents.ts';
import { factOf, hasFact } from '../../support/logs.ts';
import { fixture, quote, World, waitFor } from '../../support/world.ts';

const many = 10_000;

/** The store's folder in memory: to make so many folders on a disk, and to remove them, takes minutes. */
class InMemory implements Disposable {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
    mkdirSync(dir, { mode: 0o700 });
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'mode=700', 'none', dir]);
  }

  [Symbol.dispose](): void {
    execFileSync('umount', ['--lazy', this.#dir]);
  }
}

/** A store in which so many sessions have been. */
function fill(dir: string): void {
  for (let count = 0; count < many; count += 1) {
    const id = `session ${count}`;
    const paths = sessionPaths(dir, id);
    mkdirSync(paths.tasks, { recursive: true, mode: 0o700 });
    mkdirSync(paths.output, { recursive: true, mode: 0o700 });
    // So that it is not empty: such a session is removed.
    writeFileSync(`${paths.tasks}/note`, '');
    writeFileSync(paths.record, encodeSessionRecord(id, Date.now()), { mode: 0o600 });
  }
}

test(`with ${many} sessions in the store and no supervisor, timeouts, output limits and bindings hold`, async () => {
  await using world = new World();
  using _ = new InMemory(world.dir);
  await (await world.store()).close();
  fill(world.dir);
  const go = `${world.base}/go`;
  const waits = `until [ -e ${quote(go)} ]; do sleep 0.05; done`;
  await using agent = await Agent.start(world.dir);
  const ids = await agent.run(
    async ({ session, store }, { flood, stubborn }) => {
      const other = await store.session('session 5000');
      return [
        (await session.spawn('sleep 300', { timeoutMs: 4_000 })).id,
        (await other.spawn(stubborn, { timeoutMs: 4_000, graceMs: 100 })).id,
        (await session.spawn(flood, { maxOutputBytes: 1_000_000, graceMs: 100 })).id,
        (await other.spawn('sleep 300', { bindTo: { pid: process.pid }, graceMs: 100 })).id,
        (await session.spawn('sleep 300 & sleep 301', { bindTo: { pid: process.pid } })).id,
      ];
    },
    { flood: `${waits}; yes`, stubborn: fixture('ignores-sigterm-tree.sh') },
  );
  // To look for one takes its time in there.
  const logs = ids.map((id) => world.logOf(id));
  for (const log of logs) await waitFor(() => hasFact(log, 'started'), `the command of ${log} to run`);
  // As the last of those who watched.
  await agent.crash();
  writeFileSync(go, '');
  for (const [at, id] of ids.entries()) {
    await waitFor(() => hasFact(logs[at] ?? '', 'exit'), `the end of ${id}`);
    await waitFor(() => world.pidsOf(id).length === 0, `the processes of ${id} to be gone`);
  }
  const causes = logs.map((log) => factOf(log, 'stop').cause);
  assert.deepEqual(causes, ['timeout', 'timeout', 'output_limit', 'bound', 'bound']);
  await using store = await openStore({ dir: world.dir });
  const session = await store.session('test');
  assert.deepEqual((await session.takePending()).map(({ status }) => status).sort(), [
    'killed',
    'killed',
    'timed_out',
  ]);
});
