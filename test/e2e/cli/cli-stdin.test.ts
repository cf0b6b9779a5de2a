import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { test } from 'node:test';
import { type Answer, CommandLine, oneObject } from '../../support/command-line.ts';
import { untilStarted } from '../../support/ready.ts';

/** Runs a line of a shell in which `outlive` is the program. */
async function inShell(cli: CommandLine, line: string): Promise<Answer> {
  const script = `outlive() { ${cli.inShell} "$@"; }; ${line}`;
  const child = spawn('bash', ['-c', script], {
    env: cli.environment(),
    cwd: cli.base,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (bytes: Buffer) => {
    stdout += bytes.toString();
  });
  child.stderr.on('data', (bytes: Buffer) => {
    stderr += bytes.toString();
  });
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, stdout, stderr };
}

test('the command reads what is piped or redirected into run', async () => {
  await using cli = new CommandLine();
  writeFileSync(`${cli.base}/words`, 'b\na\n');
  writeFileSync(`${cli.base}/large`, 'x'.repeat(1_000_000));
  const cases: [line: string, output: string][] = [
    ['outlive run --wait sort < words', 'a\nb\n'],
    ['printf "b\\na\\n" | outlive run --wait sort', 'a\nb\n'],
    ['outlive run --wait sort <<< "one line"', 'one line\n'],
    ['outlive run --wait cat <<END\nsmall\nEND', 'small\n'],
    ['outlive run --wait "wc -c" < large', '1000000\n'],
    ['cat large | outlive run --wait "wc -c"', '1000000\n'],
    ['outlive run --wait "wc -c" <<END\n$(cat large)\nEND', '1000001\n'],
    ['outlive run --wait sort < <(printf "b\\na\\n")', 'a\nb\n'],
    ['outlive run --wait "cat; echo end" < /dev/null', 'end\n'],
    ['outlive run --wait "cat; echo end" <&-', 'end\n'],
    ['true | outlive run --wait "cat; echo end"', 'end\n'],
  ];
  for (const [line, output] of cases) {
    const { status, stdout, stderr } = await inShell(cli, line);
    assert.deepEqual([status, stdout.trimStart(), stderr], [0, output, ''], line);
  }
});

test('a command goes on reading from a pipe long after run has returned', async () => {
  await using cli = new CommandLine();
  const answer = await inShell(
    cli,
    '(echo first; sleep 0.5; echo second) | outlive run -n reader cat; outlive wait reader; outlive logs reader',
  );
  assert.match(answer.stdout, /first\nsecond\n$/);
});

test('a pipe that stays silent is left alone, and run says so', async () => {
  await using cli = new CommandLine();
  const line = 'exec 3> >(outlive run --wait "cat; echo end" > out 2> err); wait $!; cat out; cat err >&2';
  const { stdout, stderr } = await inShell(cli, line);
  assert.equal(stdout, 'end\n');
  assert.match(stderr, /^outlive: bgb-[0-9a-f]{12} has an empty stdin: nothing came from the pipe in 100 ms/);
});

test('a loop that reads lines keeps them when the command reads /dev/null', async () => {
  await using cli = new CommandLine();
  const line =
    'printf "1\\n2\\n3\\n" | while read -r n; do outlive run --wait "cat; echo $n" < /dev/null; done';
  assert.equal((await inShell(cli, line)).stdout, '1\n2\n3\n');
});

test('a socket is passed on, too', async () => {
  await using cli = new CommandLine();
  const path = `${cli.base}/socket`;
  const server = createServer((peer) => peer.end('from a socket\n'));
  server.listen(path);
  await once(server, 'listening');
  const client = connect(path);
  await once(client, 'connect');
  // Node reads from a socket that is its stdin: only the descriptor is handed on.
  const [program = '', ...words] = [...cli.program, 'run', '--wait', 'cat'];
  const child = spawn(program, words, {
    env: cli.environment(),
    cwd: cli.base,
    stdio: [client, 'pipe', 'inherit'],
  });
  let stdout = '';
  child.stdout?.on('data', (bytes: Buffer) => {
    stdout += bytes.toString();
  });
  await once(child, 'close');
  client.destroy();
  server.close();
  assert.equal(stdout, 'from a socket\n');
});

test('input that comes late, in pieces, or in large amounts is sent, too', async () => {
  await using cli = new CommandLine();
  const id = await cli.spawn('wc -c', '--stdin');
  for (const writer of [
    'sleep 0.3; echo late',
    'for n in 1 2 3; do printf $n; sleep 0.1; done',
    'seq 1 20000',
  ]) {
    const { status, stderr } = await inShell(cli, `(${writer}) | outlive send ${id}`);
    assert.deepEqual([status, stderr], [0, ''], writer);
  }
  await cli.run('send', id, '--eof');
  await cli.run('wait', id);
  assert.equal((await cli.run('logs', id)).stdout, '108902\n');
});

test('with --stdin the input stays open: first for what is piped in, then for what is sent', async () => {
  await using cli = new CommandLine();
  const { stdout } = await inShell(cli, 'echo piped | outlive run --stdin cat');
  const taskId = stdout.trim();
  await untilStarted(cli, taskId);
  assert.deepEqual(await cli.run('wait', '--for', 'pattern=piped', taskId).then(({ status }) => status), 0);
  assert.deepEqual(await cli.run('send', taskId, 'sent\n'), { status: 0, stdout: '', stderr: '' });
  const sent = await inShell(cli, `echo by a pipe | outlive send ${taskId} --eof`);
  assert.deepEqual([sent.status, sent.stderr], [0, '']);
  await cli.run('wait', taskId);
  assert.equal((await cli.run('logs', taskId)).stdout, 'piped\nsent\nby a pipe\n');
});

test('send to a task that takes no input says why, with its exit status', async () => {
  await using cli = new CommandLine();
  const plain = await cli.spawn('sleep 1000');
  const ended = await cli.ended('true', '--stdin');
  const cases: [words: string[], code: number, message: RegExp][] = [
    [[plain, 'x'], 125, /it takes no input\. Run it with --stdin or --tty\./],
    [[ended, 'x'], 125, /found that it has ended/],
    [['nosuch', 'x'], 120, /nosuch/],
  ];
  for (const [words, code, message] of cases) {
    const { status, stderr, stdout } = await cli.run('send', ...words);
    assert.deepEqual([status, stdout], [code, ''], words.join(' '));
    assert.match(stderr, message);
  }
  for (const words of [
    [plain, 'a', 'b'],
    [plain, '--press', 'hyper-q'],
  ]) {
    const { status } = await cli.run('send', ...words);
    assert.equal(status, 64);
  }
  const { error } = oneObject((await cli.run('send', '--json', plain, 'x')).stderr);
  assert.equal(error.code, 'INPUT_CLOSED');
  await cli.run('kill', plain);
});

test('the help of run says how loops keep their lines', async () => {
  await using cli = new CommandLine();
  assert.match((await cli.run('run', '--help')).stdout, /inside a loop that reads lines.*< \/dev\/null/);
});
