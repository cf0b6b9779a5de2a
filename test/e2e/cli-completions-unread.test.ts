import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CommandLine } from '../support/command-line.ts';
import { factsOf } from '../support/logs.ts';
import { waitFor } from '../support/world.ts';

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

/** Whether a process waits until it can write to its stdout: what its epoll descriptors are told to watch. */
function waitsForRoom(pid: number | undefined): boolean {
  const canWrite = 0x4;
  return readdirSync(`/proc/${pid}/fdinfo`).some((descriptor) => {
    const watched = readFileSync(`/proc/${pid}/fdinfo/${descriptor}`, 'utf8');
    const [, events = '0'] = /^tfd: +1 events: +([0-9a-f]+)/m.exec(watched) ?? [];
    return (Number.parseInt(events, 16) & canWrite) !== 0;
  });
}

test('a follower that was SIGKILLed before its reader took a completion has not acknowledged it', async () => {
  await using cli = new CommandLine();
  const taskId = await cli.ended('exit 6');
  const pipe = fullPipe(join(cli.base, 'pipe'));
  const follower = spawn(cli.path, ['completions', '--follow', '--ack', '--json'], {
    env: cli.environment(),
    stdio: ['ignore', pipe, 'inherit'],
  });
  const has = (kind: string): boolean => factsOf(cli.logOf(taskId)).some(({ fact }) => fact === kind);
  await waitFor(() => has('claim'), 'the completion to be claimed');
  await waitFor(() => waitsForRoom(follower.pid), 'it to wait for room in the pipe');
  follower.kill('SIGKILL');
  await once(follower, 'exit');
  closeSync(pipe);
  assert.ok(!has('delivered'));
  const next = cli.start(['completions', '--follow', '--ack']);
  await next.says(`${taskId} failed, exit 6`);
  await waitFor(() => has('delivered'), 'the completion to be acknowledged');
});

test('a reader that is gone was told nothing: the completion stays owed', async () => {
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
