import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { type Answer, CommandLine, objects, oneObject } from '../../support/command-line.ts';
import { OtherMachine } from '../../support/other-machine.ts';
import { waitFor } from '../../support/world.ts';

let there: OtherMachine;

before(async () => {
  there = await OtherMachine.start();
});

after(async () => await there?.[Symbol.asyncDispose]());

/** Runs `outlive` here for the other machine. */
async function call(here: CommandLine, ...words: string[]): Promise<Answer> {
  return await here.call(words, { env: there.reach() });
}

/** The same with something on stdin. */
function feed(here: CommandLine, words: readonly string[], env = there.reach()): ChildProcess {
  const [program = '', ...before] = here.program;
  return spawn(program, [...before, ...words], {
    env: here.environment(env),
    cwd: here.base,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}

async function answerOf(child: ChildProcess): Promise<Answer> {
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      texts[name] += text;
    });
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { status, ...texts };
}

test('verbs run on the other machine, and nothing is made here', async () => {
  await using here = new CommandLine();
  const ran = await call(here, 'run', '-n', 'build', 'echo built; pwd; exit 3');
  assert.deepEqual([ran.status, ran.stderr], [0, '']);
  const taskId = ran.stdout.trim();
  assert.deepEqual(there.taskIds(), [taskId]);
  const waited = await call(here, 'wait', 'build');
  assert.equal(waited.status, 3);
  assert.match(waited.stdout, /failed, exit 3/);
  const shown = oneObject((await call(here, 'show', '--json', taskId)).stdout);
  // Printed by the wait, and so acknowledged: the confirmation has gone there and back.
  assert.deepEqual([shown.delivered, shown.status], [true, 'failed']);
  // A task begins in the home folder there, and not in the folder here.
  assert.notEqual(shown.cwd, here.base);
  assert.deepEqual(await call(here, 'logs', taskId), {
    status: 0,
    stdout: `built\n${shown.cwd}\n`,
    stderr: '',
  });
  assert.equal((await call(here, 'show', 'bgb-000000000000')).status, 120);
  assert.equal((await call(here, 'prune', 'build')).status, 0);
  assert.deepEqual(there.taskIds(), []);
  assert.deepEqual(here.files(), []);
});

test('an exit status of the command is distinguished from one of ssh, and a hint names the machine', async () => {
  await using here = new CommandLine();
  assert.equal((await call(here, 'run', '--wait', 'exit 255')).status, 255);
  const { OUTLIVE_SSH } = there.reach();
  const { status, stderr } = await here.call(['--host', there.url, 'run', '--wait=10ms', 'sleep 1000'], {
    env: { OUTLIVE_SSH },
  });
  assert.equal(status, 122);
  const [taskId = ''] = /bgb-\w+/.exec(stderr) ?? [];
  assert.match(stderr, new RegExp(`with: outlive --host ${there.url} wait ${taskId}\n$`));
  const killed = await call(here, 'kill', taskId);
  assert.match(killed.stdout, /killed/);
});

test('a conversation here has its tasks and completions on the other machine', async () => {
  await using here = new CommandLine();
  const env = { ...there.reach(), CLAUDE_CODE_SESSION_ID: 'talk-1' };
  const { stdout } = await here.call(['run', 'exit 1'], { env });
  await there.until(stdout.trim(), ({ endedAt }) => endedAt !== null);
  assert.equal((await there.snapshot(stdout.trim())).sessionId, 'talk-1');
  assert.equal((await call(here, 'completions')).stdout, '');
  const told = await here.call(['completions', '--ack', '--json'], { env });
  assert.deepEqual([oneObject(told.stdout).taskId, told.status], [stdout.trim(), 0]);
  assert.equal((await here.call(['completions'], { env })).stdout, '');
});

test('every byte of every argument arrives, even of 100 KB', async () => {
  await using here = new CommandLine();
  const words = [
    ...['', ' ', "it's", '"', '$HOME `id` $(id)', '\\', '\\\\', "'\\''", 'a\nb\n', '\t\r\x1b[31m\x7f'],
    ...['*?[a]', '~', '!!', '-n', '--', 'Grüße 漢字 🦉', '#', ';&|<>(){}', 'x'.repeat(100_000)],
  ];
  const code = 'process.stdout.write(JSON.stringify(process.argv.slice(1)))';
  const { status, stdout } = await call(
    here,
    'run',
    '--wait',
    '--',
    process.execPath,
    '-e',
    code,
    '--',
    ...words,
  );
  assert.equal(status, 0);
  assert.deepEqual(JSON.parse(stdout), words);
});

test('values of -e reach the task, and only the typed command line shows them', async () => {
  await using here = new CommandLine();
  const secret = `hush-${process.pid}-${Date.now()}`;
  const env = { ...there.reach(), NOT_FORWARDED: 'x' };
  const command = 'printenv TOKEN NOT_FORWARDED; sleep 1000';
  const running = here.start(['run', '--follow', '-n', 'quiet', '-e', `TOKEN=${secret}`, command], { env });
  await running.says(secret);
  const showing = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => commandLine(pid).includes(secret));
  assert.deepEqual(showing.map(Number), [running.child.pid]);
  await call(here, 'kill', 'quiet');
  const { stdout } = await running.answer;
  assert.equal(stdout, `${secret}\n`);
});

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

test('what is piped into run arrives whole, also after run has ended', async () => {
  await using here = new CommandLine();
  const data = Buffer.alloc(3_000_000, 'some line of text\n');
  const hash = createHash('sha256').update(data).digest('hex');
  const child = feed(here, ['run', 'sleep 0.2; sha256sum']);
  const answer = answerOf(child);
  child.stdin?.end(data);
  const { status, stdout, stderr } = await answer;
  assert.deepEqual([status, stderr], [0, '']);
  await there.until(stdout.trim(), ({ endedAt }) => endedAt !== null);
  assert.match((await there.run('logs', stdout.trim())).stdout, new RegExp(hash));
});

test('run --wait passes on stdin and the exit status, and says when an open pipe brings nothing', async () => {
  await using here = new CommandLine();
  const child = feed(here, ['run', '--wait', 'cat; exit 7']);
  child.stdin?.end('typed\n');
  assert.deepEqual(await answerOf(child), { status: 7, stdout: 'typed\n', stderr: '' });
  const idle = feed(here, ['run', '--wait', 'cat; exit 8']);
  const { status, stderr } = await answerOf(idle);
  assert.deepEqual([status, /nothing came from the pipe on stdin in 100 ms/.test(stderr)], [8, true]);
});

test('run --wait ends with its command, also when its input stays open', async () => {
  await using here = new CommandLine();
  const child = feed(here, ['run', '--wait', 'read -r x; echo got $x; exit 5']);
  child.stdin?.write('line\n');
  assert.deepEqual(await answerOf(child), { status: 5, stdout: 'got line\n', stderr: '' });
  const refused = feed(here, ['run', '-C', '/nowhere', 'cat']);
  refused.stdin?.write('line\n');
  const { status, stderr } = await answerOf(refused);
  assert.deepEqual([status, /\/nowhere/.test(stderr)], [64, true]);
});

test('141: no reader takes the output, as on one machine', async () => {
  await using here = new CommandLine();
  const taskId = await there.ended('yes | head -c 3000000');
  const words = ['-c', '"$@" | head -n 1; echo $PIPESTATUS', 'bash'];
  const env = { OUTLIVE_SSH: there.reach().OUTLIVE_SSH };
  const { stdout, stderr } = await here.call(['--host', there.url, 'logs', taskId], {
    env,
    before: ['bash', ...words],
  });
  assert.deepEqual([stdout, stderr], ['y\n141\n', '']);
});

test('send types its stdin', async () => {
  await using here = new CommandLine();
  const taskId = await there.spawn('cat', '--stdin');
  const child = feed(here, ['send', '--eof', taskId]);
  child.stdin?.end('a\nb');
  assert.deepEqual(await answerOf(child), { status: 0, stdout: '', stderr: '' });
  assert.equal((await call(here, 'send', taskId, 'too late')).status, 125);
  assert.equal((await there.run('logs', taskId)).stdout, 'a\nb');
});

test('an agent here uses the tools of the MCP server there', async () => {
  await using here = new CommandLine();
  const child = feed(here, ['mcp']);
  const answer = answerOf(child);
  const asked = [
    {
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'x', version: '1' } },
    },
    { method: 'notifications/initialized' },
    {
      id: 2,
      method: 'tools/call',
      params: { name: 'run', arguments: { command: 'echo by-mcp', wait_ms: 5000 } },
    },
  ];
  for (const message of asked) child.stdin?.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  let said = '';
  child.stdout?.on('data', (text: string) => {
    said += text;
  });
  await waitFor(() => said.includes('"id":2'), 'the answer of the tool');
  child.stdin?.end();
  const { status, stdout } = await answer;
  assert.equal(status, 0);
  assert.match(JSON.stringify(objects(stdout).find(({ id }) => id === 2)), /by-mcp/);
});

test('an interrupt ends the wait as on this machine, and leaves no process on the other one', async () => {
  await using here = new CommandLine();
  const taskId = await there.spawn('sleep 1000');
  const waiting = here.start(['wait', taskId], { env: there.reach() });
  await waitFor(() => waitersFor(there).length > 0, 'the wait there');
  await waiting.waits();
  // The answer may be on its way: what an interrupt then ends is the connection.
  waiting.child.kill('SIGINT');
  const { status, stderr } = await waiting.answer;
  assert.ok(status === 122 || status === 130, `${status} ${stderr}`);
  await waitFor(() => waitersFor(there).length === 0, 'nobody to wait there');
  assert.equal((await there.snapshot(taskId)).status, 'running');
  await there.run('kill', taskId);
});

/** Programs that answer a call on the other machine. */
function waitersFor(machine: OtherMachine): string[] {
  return readdirSync('/proc').filter((pid) => {
    const line = commandLine(pid);
    return line.includes('__remote') && line.includes(machine.base) && !line.startsWith('sh\0');
  });
}
