import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CommandLine, objects } from '../../support/command-line.ts';
import { quote } from '../../support/world.ts';

test('a disk in memory is a warning, and a nearly full disk a problem that outlive cannot mend', async () => {
  await using cli = new CommandLine();
  const disk = join(cli.base, 'disk');
  mkdirSync(disk);
  const fill = `dd if=/dev/zero of=${quote(join(disk, 'filler'))} bs=4k 2>/dev/null`;
  const script = `mount -t tmpfs -o size=2m none ${quote(disk)}; "$1" run --wait true; "$@"; ${fill}; "$@" --mend`;
  const store = join(disk, 'store');
  const { status, stdout, stderr } = await cli.call(['doctor', '--json'], {
    before: ['unshare', '--mount', 'sh', '-c', script, 'sh'],
    env: { OUTLIVE_HOME: store },
  });
  assert.deepEqual([status, stderr], [1, '']);
  // In a container the doctor warns of that, too.
  const wrong = objects(stdout).filter(({ level, check }) => level !== 'ok' && check !== 'sandbox');
  assert.deepEqual(
    wrong.map(({ check, level, canMend }) => [check, level, canMend]),
    [
      ['file-system', 'warning', false],
      ['disk', 'warning', false],
      ['file-system', 'warning', false],
      ['disk', 'problem', false],
      ['append', 'problem', false],
    ],
  );
  assert.match(wrong[1]?.message, /^2 of 2 MiB are free \(\d+ %\)$/);
  assert.match(wrong[3]?.message, /^0 of 2 MiB are free \(0 %\)$/);
  assert.match(wrong[3]?.advice, /outlive prune --all-sessions/);
  assert.match(wrong[4]?.message, /ENOSPC/);
});
