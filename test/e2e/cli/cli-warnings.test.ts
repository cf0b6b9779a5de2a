import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CommandLine } from '../../support/command-line.ts';

/** Node's options that put a mistake into a call of the file system. */
function planted(call: string, when = 'true'): NodeJS.ProcessEnv {
  const module = `
    import fs from 'node:fs';
    import { syncBuiltinESMExports } from 'node:module';
    const right = fs.${call};
    fs.${call} = (path, ...rest) => {
      if (${when}) throw new TypeError('a planted mistake');
      return right(path, ...rest);
    };
    syncBuiltinESMExports();`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(module)}` };
}

test('what fails on the way is a line on stderr, once, and the work is done', async () => {
  await using cli = new CommandLine();
  const { status, stdout, stderr } = await cli.call(['run', '--wait', 'echo text; exit 3'], {
    env: planted('watch'),
  });
  assert.deepEqual({ status, stdout }, { status: 3, stdout: 'text\n' });
  const lines = stderr.trimEnd().split('\n');
  assert.equal(lines[0], 'outlive: warning: watching a session failed: TypeError: a planted mistake');
  assert.equal(lines.filter((line) => line.includes('warning')).length, 1, stderr);
});

test('a mistake that keeps an end from being seen ends the wait with INTERNAL, and not never', async () => {
  await using cli = new CommandLine();
  const taskId = await cli.spawn('sleep 1000');
  const armed = join(cli.base, 'armed');
  const when = `String(path).endsWith('.out') && fs.existsSync(${JSON.stringify(armed)})`;
  const env = planted('lstatSync', when);
  const waiting = cli.start(['wait', '--json', taskId], { env });
  await waiting.waits();
  const { pid } = await cli.snapshot(taskId);
  writeFileSync(armed, '');
  process.kill(pid, 'SIGKILL');
  const { status, stdout, stderr } = await waiting.answer;
  assert.deepEqual({ status, stdout }, { status: 125, stdout: '' });
  assert.match(
    stderr,
    /^outlive: warning: checking a task \(bgb-\w+\) failed: TypeError: a planted mistake\n/,
  );
  assert.match(stderr, /\{"error":\{"code":"INTERNAL","message":"expected outlive to work; found a mistake/);
});

test('NODE_DEBUG=outlive adds the stack', async () => {
  await using cli = new CommandLine();
  const env = { ...planted('watch'), NODE_DEBUG: 'outlive' };
  const { status, stderr } = await cli.call(['run', '--wait', 'true'], { env });
  assert.equal(status, 0);
  assert.match(stderr, /OUTLIVE \d+: watching a session failed: .*\n +at fs\.watch/);
});

test('a shell that asks for words is told nothing', async () => {
  await using cli = new CommandLine();
  const { status, stdout, stderr } = await cli.call(['__complete', 'show', ''], {
    env: planted('readdirSync', "String(path).endsWith('tasks')"),
  });
  assert.deepEqual({ status, stdout, stderr }, { status: 125, stdout: '', stderr: '' });
});
