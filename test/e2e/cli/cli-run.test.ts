import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, realpathSync } from 'node:fs';
import { join, sep } from 'node:path';
import { test } from 'node:test';
import { CommandLine, oneObject, type Snapshot } from '../../support/command-line.ts';
import { onWindows } from '../../support/processes.ts';

const isEnded = ({ endedAt }: Snapshot): boolean => endedAt !== null;

test('run prints only the id of the task, on a line, and the command goes on', async () => {
  await using cli = new CommandLine();
  const { status, stdout, stderr } = await cli.run('run', 'sleep 1000');
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
  assert.match(stdout, /^bgb-[0-9a-f]{12}\n$/);
  // It runs when run returns: nobody has to wait for that.
  const { taskId, status: now } = await cli.snapshot(stdout.trim());
  assert.deepEqual([taskId, now], [stdout.trim(), 'running']);
});

test('one argument is a shell command, unchanged; several are quoted as an argv', async () => {
  await using cli = new CommandLine();
  const shell = await cli.run('run', '--wait', 'echo a  b; echo $((1+2))');
  assert.equal(shell.stdout, 'a b\n3\n');
  const argv = await cli.run('run', '--wait', '--', 'printf', '[%s]', 'a  b', "it's", '$HOME', '', '*');
  assert.equal(argv.stdout, "[a  b][it's][$HOME][][*]");
});

test('words after the command belong to it, with and without two dashes', async () => {
  await using cli = new CommandLine();
  const bare = await cli.run('run', '--wait', 'echo', '--json', '--wait', '-s', 'x');
  assert.equal(bare.stdout, '--json --wait -s x\n');
  const dashes = await cli.run('run', '--wait', '--', 'echo', '--', '-t', '5');
  assert.equal(dashes.stdout, '-- -t 5\n');
});

test('every option of run is in the record of the task', async () => {
  await using cli = new CommandLine();
  const cwd = join(cli.base, 'a folder');
  mkdirSync(cwd);
  const options = ['-s', 'my session', '-C', cwd, '-e', 'COLOR=blue', '-e', 'EMPTY=', '-n', 'build'];
  const more = ['-l', 'a=1', '-l', 'b=x=y', '-t', '90s', '--grace', '1500ms', '--shell', 'sh', '--separate'];
  const rest = ['--max-output', '64k', '--leftovers', 'kill', '--json'];
  const command = `${onWindows ? 'pwd -W' : 'pwd'}; echo "$COLOR$EMPTY" >&2; echo $0`;
  const { stdout } = await cli.run('run', ...options, ...more, ...rest, '--', command);
  const { taskId } = oneObject(stdout);
  const shown = await cli.until(taskId, isEnded);
  assert.equal(shown.sessionId, 'my session');
  assert.equal(shown.cwd, cwd);
  assert.equal(shown.name, 'build');
  assert.deepEqual(shown.labels, { a: '1', b: 'x=y' });
  assert.equal(shown.timeoutMs, 90_000);
  assert.deepEqual([shown.bounds.graceMs, shown.bounds.maxOutputBytes], [1_500, 65_536]);
  assert.match(shown.shell, /[\\/]sh(?:\.exe)?$/);
  assert.equal(shown.leftoversPolicy, 'kill');
  assert.equal(readFileSync(shown.output.path, 'utf8'), `${realpathSync(cwd).replaceAll('\\', '/')}\nsh\n`);
  assert.equal(readFileSync(shown.output.stderrPath, 'utf8'), 'blue\n');
});

test('the defaults are those of the contract: 30 minutes, 3 seconds of grace, 1 GiB', async () => {
  await using cli = new CommandLine();
  const { timeoutMs, bounds, leftoversPolicy, sessionId } = await cli.snapshot(await cli.ended('true'));
  assert.deepEqual([timeoutMs, bounds.graceMs, bounds.maxOutputBytes], [1_800_000, 3_000, 1_073_741_824]);
  assert.deepEqual([leftoversPolicy, sessionId], ['report', 'default']);
});

test('the value none means no timeout, and no limit on the output', async () => {
  await using cli = new CommandLine();
  const { timeoutMs, bounds } = await cli.snapshot(
    await cli.ended('true', '-t', 'none', '--max-output', 'none'),
  );
  assert.deepEqual([timeoutMs, bounds.maxOutputBytes], [null, null]);
});

test('the session is --session, else OUTLIVE_SESSION, else default; the store is --store, else OUTLIVE_HOME', async () => {
  await using cli = new CommandLine();
  const env = { OUTLIVE_SESSION: 'from env' };
  const sessionOf = async (...words: string[]) =>
    oneObject((await cli.call(['run', '--json', ...words, 'true'], { env })).stdout).sessionId;
  assert.equal(await sessionOf(), 'from env');
  assert.equal(await sessionOf('-s', 'given'), 'given');
  const other = join(cli.base, 'other store');
  const { output } = oneObject((await cli.run('run', '--json', '--store', other, 'true')).stdout);
  assert.ok(output.path.startsWith(join(realpathSync(other), 'sessions', sep)), output.path);
});

test('--leftovers wait keeps the task running until what it left behind has ended', async () => {
  await using cli = new CommandLine();
  const { status, stdout } = await cli.run(
    'run',
    '--wait',
    '--leftovers',
    'wait',
    '(sleep 0.5; echo late) & echo early',
  );
  assert.deepEqual([status, stdout], [0, 'early\nlate\n']);
});
