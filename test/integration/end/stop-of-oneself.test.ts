import assert from 'node:assert/strict';
import { test } from 'node:test';
import { notOnWindows } from '../../support/not-on-windows.ts';
import { onWindows } from '../../support/processes.ts';
import { World } from '../../support/world.ts';

type Case = readonly [what: string, command: string, verdict: string];

/** No program of git-bash sends a signal to the shim of Windows, and its runtime makes other codes of signals. */
const casesOfWindows: readonly Case[] = [
  ['its own group by SIGTERM', 'kill -TERM 0; sleep 1000', 'failed 3840 null null'],
  ['its own group by SIGKILL', 'kill -KILL 0; sleep 1000', 'failed 2304 null null'],
];

const casesOfUnix: readonly Case[] = [
  ['its own group by SIGTERM', 'kill -TERM 0; sleep 1000', 'failed 143 SIGTERM signal'],
  ['its own group by SIGKILL', 'kill -KILL 0; sleep 1000', 'failed 137 SIGKILL signal'],
  ['its shim, and ends', 'kill -KILL $PPID; exit 3', 'lost null null no_exit_marker'],
];

for (const [what, command, expected] of onWindows ? casesOfWindows : casesOfUnix) {
  test(`when a command kills ${what}, the record says so, and nothing is left`, async () => {
    await using world = new World();
    const task = await (await world.session()).spawn(command);
    const { status, exitCode, exitSignal, statusReason, leftovers } = await task.wait();
    assert.equal(`${status} ${exitCode} ${exitSignal} ${statusReason}`, expected);
    assert.deepEqual([leftovers, world.pidsOf(task.id)], [[], []]);
  });
}

test(
  'a command that kills its shim and goes on is a leftover, and can be stopped',
  notOnWindows('no program of git-bash sends a signal to the shim there'),
  async () => {
    await using world = new World();
    const task = await (await world.session()).spawn(
      'kill -KILL $PPID; trap "" TERM; while :; do sleep 1; done',
    );
    const ended = await task.wait();
    assert.equal(`${ended.status} ${ended.statusReason}`, 'lost no_exit_marker');
    assert.ok(ended.leftovers.some(({ command }) => command.includes('kill -KILL $PPID')));
    assert.deepEqual((await task.kill({ graceMs: 50 })).leftovers, []);
    assert.deepEqual(world.pidsOf(task.id), []);
  },
);
