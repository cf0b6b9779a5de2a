import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CommandLine, objects, type Snapshot } from '../../support/command-line.ts';
import { windowsTest } from '../../support/windows-test.ts';

/** What the doctor finds of the folder, what is in it, and the shells. */
async function found(cli: CommandLine, words: string[], env: NodeJS.ProcessEnv = {}): Promise<Snapshot[]> {
  const { stdout } = await cli.call(['doctor', '--json', ...words], { env });
  return objects(stdout).filter(({ check }) => ['store', 'modes', 'shell'].includes(check));
}

windowsTest('on Windows the doctor checks the profile, cmd and the shell of the user', async () => {
  await using cli = new CommandLine();
  // Not looked at is what it prints as errors: Bun warns of what Wine makes of folders.
  const { stdout } = await cli.run('run', '--shell', 'cmd', '--', 'exit 0');
  await cli.until(stdout.trim(), ({ endedAt }) => endedAt !== null);
  const well = await found(cli, []);
  assert.ok(
    well.every(({ level }) => level === 'ok'),
    JSON.stringify(well),
  );
  assert.match(well[0]?.message, /is in your profile, which is closed to others$/);
  const shells = await found(cli, [], { SHELL: 'C:\\nowhere\\fish.exe' });
  assert.match(
    shells.find(({ check, level }) => check === 'shell' && level === 'problem')?.message,
    /^C:\\nowhere\\fish\.exe, your \$SHELL, does not exist$/,
  );
});

windowsTest('a store outside of the profile is as open as its folder, which is a warning', async () => {
  await using cli = new CommandLine();
  const outside = mkdtempSync('C:\\outlive-test-');
  mkdirSync(join(outside, 'store'));
  const [store] = await found(cli, ['--store', join(outside, 'store')]);
  rmSync(outside, { recursive: true });
  assert.deepEqual([store?.level, store?.canMend], ['warning', false]);
  assert.match(store?.message, /is outside of your profile, and as open to others as its parent folder$/);
});
