import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync, readdirSync, readFileSync, readlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CommandLine } from '../../support/command-line.ts';
import { factsOf } from '../../support/logs.ts';
import { waitFor } from '../../support/world.ts';

/** A pipe that is full, so that nothing that is written into it reaches anybody; both ends are open. */
function fullPipe(path: string): number {
  execFileSync('mkfifo', [path]);
  const pipe = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  try {
    for (;;) writeSync(pipe, Buffer.alloc(4096));
  } catch {
    return pipe;
  }
}

/**
 * Whether a process waits until it can write into the pipe: what its epoll descriptors are told to watch. Bun writes to
 * a copy of stdout.
 */
function waitsForRoom(pid: number | undefined, pipe: string): boolean {
  const canWrite = 0x4;
  return readdirSync(`/proc/${pid}/fdinfo`).some((descriptor) => {
    const watched = look(() => readFileSync(`/proc/${pid}/fdinfo/${descriptor}`, 'utf8'));
    return [...watched.matchAll(/^tfd: +(\d+) events: +([0-9a-f]+)/gm)].some(
      ([, target = '', events = '0']) =>
        (Number.parseInt(events, 16) & canWrite) !== 0 &&
        look(() => readlinkSync(`/proc/${pid}/fd/${target}`)) === pipe,
    );
  });
}

/** It opens and closes others meanwhile. */
function look(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}

test('a follower that is SIGKILLed before its reader takes a completion does not acknowledge it', async () => {
  await using cli = new CommandLine();
  const taskId = await cli.ended('exit 6');
  const path = join(cli.base, 'pipe');
  const pipe = fullPipe(path);
  const follower = spawn(cli.path, ['completions', '--follow', '--ack', '--json'], {
    env: cli.environment(),
    stdio: ['ignore', pipe, 'inherit'],
  });
  const has = (kind: string): boolean => factsOf(cli.logOf(taskId)).some(({ fact }) => fact === kind);
  await waitFor(() => has('claim'), 'the completion to be claimed');
  await waitFor(() => waitsForRoom(follower.pid, path), 'it to wait for room in the pipe');
  follower.kill('SIGKILL');
  await once(follower, 'exit');
  closeSync(pipe);
  assert.ok(!has('delivered'));
  const next = cli.start(['completions', '--follow', '--ack']);
  await next.says(`${taskId} failed, exit 6`);
  await waitFor(() => has('delivered'), 'the completion to be acknowledged');
});

test('SIGTERM ends a follower whose reader has stopped reading, and the completion stays unacknowledged', async () => {
  await using cli = new CommandLine();
  const taskId = await cli.ended('exit 6');
  const path = join(cli.base, 'pipe');
  const pipe = fullPipe(path);
  const follower = spawn(cli.path, ['completions', '--follow', '--ack'], {
    env: cli.environment(),
    stdio: ['ignore', pipe, 'inherit'],
  });
  await waitFor(() => waitsForRoom(follower.pid, path), 'it to wait for room in the pipe');
  follower.kill('SIGTERM');
  const [, killSignal] = await once(follower, 'exit');
  assert.equal(killSignal, 'SIGTERM');
  closeSync(pipe);
  assert.ok(!factsOf(cli.logOf(taskId)).some(({ fact }) => fact === 'delivered'));
});

test('when the reader is gone, the completion stays pending', async () => {
  await using cli = new CommandLine();
  const taskId = await cli.ended('exit 6');
  const script = `{ sleep 0.1; ${cli.path} completions --ack; echo "\${?}" >&2; } | true`;
  const answer = await cli.run(
    'run',
    '--wait',
    '--separate',
    '-s',
    'me',
    '-e',
    `OUTLIVE_HOME=${cli.dir}`,
    '--',
    script,
  );
  assert.equal(answer.stderr, '141\n');
  assert.match((await cli.run('completions', '--ack')).stdout, new RegExp(`^${taskId} `));
});

const kindsIn = (cli: CommandLine, taskId: string): string[] =>
  factsOf(cli.logOf(taskId)).map(({ fact }) => fact);

test('what a call had claimed before it was SIGKILLed unread is printed again, marked as told again', async () => {
  await using cli = new CommandLine();
  const taskId = await cli.ended('exit 6');
  const path = join(cli.base, 'pipe');
  execFileSync('mkfifo', [path]);
  const pipe = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  assert.throws(() => {
    for (;;) writeSync(pipe, Buffer.alloc(4096));
  });
  const killed = spawn(cli.path, ['completions', '--next'], {
    env: cli.environment(),
    stdio: ['ignore', pipe, 'inherit'],
  });
  await waitFor(() => kindsIn(cli, taskId).includes('claim'), 'the claim');
  await waitFor(() => waitsForRoom(killed.pid, path), 'it to wait for room in the pipe');
  killed.kill('SIGKILL');
  await once(killed, 'exit');
  closeSync(pipe);
  assert.ok(!kindsIn(cli, taskId).includes('told'));
  const { stdout } = await cli.run('completions', '--next');
  assert.match(stdout, new RegExp(`^Printed before, and perhaps not read:\n${taskId} failed, exit 6`));
  assert.equal((await cli.run('completions', '--next')).stdout, '');
  assert.equal((await cli.snapshot(taskId)).delivered, true);
});

test('completions that were printed into an unread pipe are printed again', async () => {
  await using cli = new CommandLine();
  const taskId = await cli.ended('exit 7');
  execFileSync('sh', ['-c', `{ sleep 0.1; ${cli.path} completions --next; } | true`], {
    env: cli.environment(),
  });
  assert.equal(kindsIn(cli, taskId).at(-1), 'claim');
  assert.match((await cli.run('completions', '--next', '--json')).stdout, /"again":true/);
});
