import assert from 'node:assert/strict';
import { CommandLine } from '../../support/command-line.ts';
import { windowsTest } from '../../support/windows-test.ts';

windowsTest(
  'the program runs a command, waits for it, shows its output, and lists pending ends',
  async () => {
    await using cli = new CommandLine();
    const ran = await cli.run('run', '--shell', 'cmd', '--', 'echo hello& exit 3');
    assert.equal(ran.status, 0, ran.stderr);
    const taskId = ran.stdout.trim();
    await cli.until(taskId, ({ endedAt }) => endedAt !== null);
    assert.match((await cli.run('completions')).stdout, new RegExp(`${taskId} failed, exit 3`));
    assert.equal((await cli.run('wait', taskId)).status, 3);
    assert.equal((await cli.run('logs', taskId)).stdout.trim(), 'hello');
    assert.equal((await cli.run('completions')).stdout, '', 'who has waited was told');
  },
);
