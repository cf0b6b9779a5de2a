import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { AgentScope } from '../../support/agent-types.ts';
import { Agent } from '../../support/agents.ts';
import { quote, World } from '../../support/world.ts';

/** Runs what follows where /proc/uptime says something of its own, as lxcfs has it. */
function withUptime(world: World, text: string): string[] {
  const file = quote(`${world.base}/uptime`);
  const script = `printf ${quote(text)} >${file} && mount --bind ${file} /proc/uptime && exec "$@"`;
  return ['unshare', '--mount', 'sh', '-c', script, 'sh'];
}

/** What a task was, by an agent that spawned it or found it, and what it should have been. */
const useInThere = async ({ session }: AgentScope): Promise<unknown> => {
  const before = Date.now();
  const ends = await session.spawn('sleep 0.4; exit 3', { timeoutMs: 60_000 });
  const stuck = await session.spawn('sleep 300', { timeoutMs: 1_000, graceMs: 100 });
  const [end, timedOut] = await Promise.all([ends.wait(), stuck.wait()]);
  const after = Date.now();
  const isInTime = (time: number | null): boolean => time !== null && time >= before - 5 && time <= after + 5;
  return {
    statuses: [end.status, end.exitCode, timedOut.status, timedOut.exitCode],
    times: [end.createdAt, end.startedAt, end.endedAt, timedOut.startedAt, timedOut.endedAt].map(isInTime),
    durations: [end.durationMs, timedOut.durationMs],
    whole: after - before,
  };
};

interface Used {
  statuses: unknown[];
  times: boolean[];
  durations: number[];
  whole: number;
}

function check(used: Used): void {
  assert.deepEqual(used.statuses, ['failed', 3, 'timed_out', 124]);
  assert.deepEqual(used.times, [true, true, true, true, true]);
  const [ran = 0, ranOut = 0] = used.durations;
  assert.ok(ran >= 395 && ran <= used.whole + 5, `${ran} of ${used.whole} ms`);
  // Also on a busy machine it is not late by what the clocks differ.
  assert.ok(ranOut >= 995 && ranOut <= used.whole + 5 && ranOut < 11_000, `${ranOut} of ${used.whole} ms`);
}

const seconds = Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]);

const uptimes: [string, string][] = [
  ['15 s less than the machine’s', `${(seconds - 15).toFixed(2)} 1.00\n`],
  ['one second', '1.00 1.00\n'],
  ['a year more', '99999999.00 1.00\n'],
  ['nothing', ''],
];

for (const [what, text] of uptimes) {
  test(`times are right and timeouts hold if /proc/uptime says ${what}`, async () => {
    await using world = new World();
    await using agent = await Agent.start(world.dir, { before: withUptime(world, text) });
    check((await agent.run(useInThere)) as Used);
    // Who is outside finds the same.
    const session = await world.session();
    const seen = await session.tasks();
    assert.deepEqual(seen.map(({ status }) => status).sort(), ['failed', 'timed_out']);
    for (const { durationMs } of seen) assert.ok(durationMs !== null && durationMs < 11_000);
  });
}

// A clock cannot be set back to before the start of the machine.
const half = Math.min(1_000, Math.floor(Number(process.hrtime.bigint() / 2_000_000_000n)));

for (const [option, offset] of [
  ['--boottime', '1000000'],
  ['--monotonic', '1000000'],
  ['--monotonic', `-${half}`],
] as const) {
  const moved = offset.startsWith('-') ? 'that is behind' : 'that is ahead';
  test(`times are right and timeouts hold in a time namespace ${moved} by ${option}`, async () => {
    await using world = new World();
    const before = ['unshare', '--time', '--fork', '--kill-child', option, offset];
    await using agent = await Agent.start(world.dir, { before });
    check((await agent.run(useInThere)) as Used);
  });
}

test('a task is found after its spawner’s end if /proc/uptime is that of a container', async () => {
  await using world = new World();
  const before = withUptime(world, '1.00 1.00\n');
  await using first = await Agent.start(world.dir, { before });
  const id = await first.run(
    async ({ session }) => (await session.spawn('sleep 300', { timeoutMs: 2_500 })).id,
  );
  await first.crash();
  await using next = await Agent.start(world.dir, { before: withUptime(world, '3.00 1.00\n') });
  const end = await next.run(async ({ session }, taskId) => await session.task(taskId).wait(), id);
  assert.equal(end.status, 'timed_out');
  assert.ok((end.durationMs ?? 0) >= 2_495 && (end.durationMs ?? 0) < 12_000, `${end.durationMs} ms`);
});
