import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Task } from '../../../src/index.ts';
import { Agent } from '../../support/agents.ts';
import { untilOver, untilStarted } from '../../support/ready.ts';
import { fixture, isLive, quote, World, waitFor } from '../../support/world.ts';

/** A way to be there and do nothing for one's tasks. What it does is taken back, where it can be, when a file comes. */
interface State {
  readonly what: string;
  readonly before?: string[];
  readonly begin: (agent: Agent, back: string) => unknown;
  /** After the file has come. */
  readonly end?: (agent: Agent, begun: unknown) => unknown;
}

const states: State[] = [
  {
    what: 'is stopped by SIGSTOP',
    begin: (agent) => process.kill(agent.pid, 'SIGSTOP'),
    end: (agent) => process.kill(agent.pid, 'SIGCONT'),
  },
  {
    what: 'never comes back to its event loop',
    begin: (agent, back) => ({
      until: agent.run(({ fs }, file) => {
        while (!fs.existsSync(file)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
      }, back),
    }),
    end: async (_, begun) => await (begun as { until: Promise<void> }).until,
  },
  {
    what: 'has no descriptor left',
    before: ['sh', '-c', 'ulimit -n 80; exec "$@"', 'sh'],
    begin: (agent, back) =>
      agent.run(({ fs }, file) => {
        const open: number[] = [];
        try {
          for (;;) open.push(fs.openSync('/dev/null', 'r'));
        } catch {
          // That was the last.
        }
        fs.watchFile(file, { interval: 50 }, () => {
          for (const descriptor of open) fs.closeSync(descriptor);
          fs.unwatchFile(file);
        });
      }, back),
  },
  { what: 'was killed', begin: (agent) => agent.crash() },
];

for (const { what, before = [], begin, end } of states) {
  test(`timeout, output limit and bindTo hold while the agent ${what}`, async () => {
    await using world = new World();
    const [go, back] = [`${world.base}/go`, `${world.base}/back`];
    await using bound = await Bound.start(go);
    await using agent = await Agent.start(world.dir, { before });
    // Not as fast as it can: how far that comes before the limit is seen is a matter of the machine.
    const flood = 'while :; do head -c 200000 /dev/zero; sleep 0.02; done';
    const waits = `until [ -e ${quote(go)} ]; do sleep 0.02; done`;
    const ids = await agent.run(
      async ({ session }, { stubborn, flood, pid }) => [
        (await session.spawn('sleep 300', { timeoutMs: 2_000 })).id,
        (await session.spawn(stubborn, { timeoutMs: 2_000, graceMs: 100 })).id,
        (await session.spawn(flood, { maxOutputBytes: 1_000_000, graceMs: 100 })).id,
        (await session.spawn('sleep 300', { bindTo: { pid }, graceMs: 100 })).id,
      ],
      { stubborn: fixture('ignores-sigterm-tree.sh'), flood: `${waits}; ${flood}`, pid: bound.pid },
    );
    await untilStarted(world, ...ids);
    const begun = await begin(agent, back);
    try {
      writeFileSync(go, '');
      await untilOver(world, ...ids);
      const session = await world.session();
      const ends = await Promise.all(ids.map((id) => session.task(id).wait()));
      assert.deepEqual(
        ends.map(({ status, statusReason, leftovers }) => [status, statusReason, leftovers]),
        [
          ['timed_out', 'timeout', []],
          ['timed_out', 'timeout', []],
          ['killed', 'output_limit', []],
          ['killed', 'bound', []],
        ],
      );
      assert.ok((ends[2]?.output.bytes ?? 0) < 200_000_000, `${ends[2]?.output.bytes} bytes`);
    } finally {
      writeFileSync(back, '');
      await end?.(agent, begun);
    }
  });
}

/** A process that a task is bound to: it ends when a file is there. */
class Bound implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly pid: number;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.pid = child.pid ?? 0;
  }

  static async start(file: string): Promise<Bound> {
    const child = spawn('sh', ['-c', `until [ -e ${quote(file)} ]; do sleep 0.02; done`], {
      stdio: 'ignore',
    });
    await once(child, 'spawn');
    return new Bound(child);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }
}

test('a process without a free descriptor can stop tasks that it has spawned itself', async () => {
  await using world = new World();
  await using agent = await Agent.start(world.dir, { before: ['sh', '-c', 'ulimit -n 80; exec "$@"', 'sh'] });
  const commands = ['sleep 300', fixture('ignores-sigterm-tree.sh'), 'setsid sleep 300 & sleep 300'];
  const ids = await agent.run(async ({ session, kept }, all) => {
    const tasks = await Promise.all(all.map((command) => session.spawn(command)));
    kept.tasks = tasks;
    return tasks.map(({ id }) => id);
  }, commands);
  await untilStarted(world, ...ids);
  const pids = ids.flatMap((id) => world.pidsOf(id));
  const said = await agent.run(async ({ fs, kept }) => {
    const tasks = kept.tasks as Task[];
    const open: number[] = [];
    kept.open = open;
    try {
      for (;;) open.push(fs.openSync('/dev/null', 'r'));
    } catch {
      // That was the last.
    }
    const kill = async (task: Task): Promise<string> =>
      await task
        .kill({ graceMs: 200 })
        .then(({ status }) => status)
        .catch((error: { code: string }) => error.code);
    return await Promise.all(tasks.map(kill));
  });
  await waitFor(() => pids.filter(isLive).length === 0, 'the processes to be gone');
  assert.deepEqual(
    said,
    said.map((word) => (word === 'killed' ? word : 'READ_FAILED')),
  );
  const ends = await agent.run(async ({ session, fs, kept }, all) => {
    for (const descriptor of kept.open as number[]) fs.closeSync(descriptor);
    return await Promise.all(all.map(async (id) => (await session.task(id).wait()).status));
  }, ids);
  assert.deepEqual(ends, ['killed', 'killed', 'killed']);
});
