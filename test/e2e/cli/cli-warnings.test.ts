import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CommandLine } from '../../support/command-line.ts';
import { loadingFirst } from '../../support/runtime.ts';

/** What puts a mistake into a call of the file system. */
function planted(cli: CommandLine, call: string, when = 'true'): NodeJS.ProcessEnv {
  const module = `
    import fs from 'node:fs';
    import { syncBuiltinESMExports } from 'node:module';
    const right = fs.${call};
    fs.${call} = (path, ...rest) => {
      if (${when}) throw new TypeError('a planted mistake');
      return right(path, ...rest);
    };
    syncBuiltinESMExports();`;
  const file = join(cli.base, 'planted.mjs');
  writeFileSync(file, module);
  return loadingFirst({}, file);
}

test('a failure on the way is one line on stderr, once, and the work is done', async () => {
  await using cli = new CommandLine();
  const { status, stdout, stderr } = await cli.call(['run', '--wait', 'echo text; exit 3'], {
    env: planted(cli, 'watch'),
  });
  assert.deepEqual({ status, stdout }, { status: 3, stdout: 'text\n' });
  const lines = stderr.trimEnd().split('\n');
  assert.equal(lines[0], 'outlive: warning: watching a session failed: TypeError: a planted mistake');
  assert.equal(lines.filter((line) => line.includes('warning')).length, 1, stderr);
});

test('a bug that keeps an end from being seen ends the wait with INTERNAL', async () => {
  await using cli = new CommandLine();
  const taskId = await cli.spawn('sleep 1000');
  const armed = join(cli.base, 'armed');
  const when = `String(path).endsWith('.out') && fs.existsSync(${JSON.stringify(armed)})`;
  const env = planted(cli, 'lstatSync', when);
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
  const env = { ...planted(cli, 'watch'), NODE_DEBUG: 'outlive' };
  const { status, stderr } = await cli.call(['run', '--wait', 'true'], { env });
  assert.equal(status, 0);
  assert.match(stderr, /OUTLIVE \d+: watching a session failed: .*\n +at .*planted/);
});

test('NODE_DEBUG takes a list of names with stars; without our name nothing is added', async () => {
  await using cli = new CommandLine();
  for (const [asked, isOurs] of [
    ['outlive', true],
    ['net,OUT*', true],
    ['*', true],
    ['outliv', false],
    ['outlive.*', false],
    ['', false],
  ] as const) {
    const { stderr } = await cli.call(['run', '--wait', 'true'], { env: { NODE_DEBUG: asked } });
    assert.equal(/^OUTLIVE \d+: .*appended/m.test(stderr), isOurs, `${asked}: ${stderr}`);
  }
});

test('a shell that asks for completion words gets no warnings', async () => {
  await using cli = new CommandLine();
  const { status, stdout, stderr } = await cli.call(['__complete', 'show', ''], {
    env: planted(cli, 'readdirSync', "String(path).endsWith('tasks')"),
  });
  assert.deepEqual({ status, stdout, stderr }, { status: 125, stdout: '', stderr: '' });
});
