import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommandLine } from '../../support/command-line.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';

/** A store on a disk with so many inodes. */
function onDiskWith(inodes: number, cli: CommandLine): readonly string[] {
  const make = `mkdir -p ${cli.base}/small && mount -t tmpfs -o nr_inodes=${inodes} small ${cli.base}/small`;
  // The record of the task is there only in this name space.
  const after = `"$@"; status=$?; ${cli.inShell} show --json --store ${cli.base}/small/store task; exit $status`;
  return ['unshare', '--user', '--map-root-user', '--mount', 'sh', '-c', `${make} && ${after}`, 'sh'];
}

test(
  'if there is room for the record of a task but not for its output, run says that the task never started',
  notOnWindows('unshare and mount make a small disk'),
  async () => {
    await using cli = new CommandLine();
    const statuses = new Set<number | null>();
    for (let inodes = 8; inodes < 20; inodes += 1) {
      const words = ['run', '--store', `${cli.base}/small/store`, '-n', 'task', 'exit 0'];
      const { status, stdout, stderr } = await cli.call(words, { before: onDiskWith(inodes, cli) });
      const isAborted = stdout.includes('"spawn_aborted"');
      assert.equal(isAborted, stderr.includes('was never started'), `${inodes} inodes: ${stdout}${stderr}`);
      if (isAborted) assert.equal(status, 125);
      statuses.add(isAborted ? status : status === 0 ? 0 : null);
    }
    // Nothing, its record alone, or all of it.
    assert.deepEqual(statuses, new Set([null, 125, 0]));
  },
);
