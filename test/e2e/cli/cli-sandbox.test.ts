import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CommandLine, objects, oneObject } from '../../support/command-line.ts';
import { PidNamespace } from '../../support/namespaces.ts';
import { waitFor } from '../../support/world.ts';

/** Only Linux has these sandboxes. */
const onLinux = process.platform === 'linux' ? test : () => undefined;

const namespace = ['bwrap', '--dev-bind', '/', '/', '--unshare-pid'];
/** As Claude Code's sandbox and Codex (workspace-write) start a shell call. */
const sandbox = [...namespace, '--die-with-parent', '--proc', '/proc', '--'];
const outerProc = [...namespace, '--die-with-parent', '--'];

/** The words of a shell call. */
function call(cli: CommandLine, words: string): string[] {
  return ['sh', '-c', `${cli.inShell} ${words}; exit $?`];
}

const calls: readonly (readonly [string, readonly string[]])[] = [
  ['bubblewrap', sandbox],
  ['bubblewrap with the /proc of the machine', outerProc],
  ['one sandbox in another', [...sandbox, ...sandbox]],
  ['a namespace with an outer /proc in a sandbox', [...sandbox, 'unshare', '--pid', '--fork']],
];
for (const [what, before] of calls)
  onLinux(`run refuses what would end with the shell call: ${what}`, async () => {
    await using cli = new CommandLine();
    const { status, stdout, stderr } = await cli.call([], {
      before: [...before, ...call(cli, 'run sleep 1000')],
    });
    assert.deepEqual({ status, stdout }, { status: 119, stdout: '' });
    assert.match(
      stderr,
      /^outlive: expected a shell whose commands can outlive the call.*\(bwrap\).*--anyway/,
    );
    assert.ok(!existsSync(cli.dir), 'no store was made');
  });

onLinux(
  'with --json the refusal has a code; what waits for the end, or is meant, is not refused',
  async () => {
    await using cli = new CommandLine();
    const inside = async (words: string) => await cli.call([], { before: [...sandbox, ...call(cli, words)] });
    const refused = await inside('run --json --wait=1s sleep 1000');
    assert.equal(refused.status, 119);
    assert.equal(oneObject(refused.stderr).error.code, 'WOULD_DIE');
    for (const words of ['run --wait', 'run --follow', 'run --wait=none'])
      assert.deepEqual(await inside(`${words} echo hello`), { status: 0, stdout: 'hello\n', stderr: '' });
    const anyway = await inside('run --anyway sleep 1000');
    assert.equal(anyway.status, 0);
    await cli.until(anyway.stdout.trim(), ({ status }) => status === 'lost');
  },
);

onLinux('an agent that lives in a sandbox as a whole is not refused', async () => {
  await using cli = new CommandLine();
  const words = JSON.stringify(call(cli, 'run --json true').slice(1));
  const agent = `process.stdout.write(require('node:child_process').execFileSync('sh', ${words}))`;
  const { status, stdout, stderr } = await cli.call([], {
    before: [...sandbox, process.execPath, '-e', agent],
  });
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
  assert.equal(objects(stdout).length, 1);
});

onLinux(
  'bubblewrap that does not die with its parent waits for what goes on, and is not refused',
  async () => {
    await using cli = new CommandLine();
    const file = join(cli.base, 'went-on');
    const words = call(cli, `run 'sleep 1; touch ${file}'`);
    const { status, stderr } = await cli.call([], { before: [...namespace, '--proc', '/proc', ...words] });
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
    await waitFor(() => existsSync(file), 'the command to go on after the call');
  },
);

const container = ['unshare', '--pid', '--fork', '--mount-proc'];
const firstProcesses: readonly (readonly [string, (cli: CommandLine) => string[]])[] = [
  ['the entry shell itself', (cli) => [...container, ...call(cli, 'run --json true')]],
  [
    'a shell of the first process',
    (cli) => [...container, 'bash', '-c', `sh -c "$0"; exit $?`, `${cli.inShell} run --json true; exit $?`],
  ],
  [
    'a container in a sandbox that is no shell call',
    (cli) => [...sandbox, process.execPath, '-e', runner(call(cli, 'run --json true'))],
  ],
];

function runner(words: readonly string[]): string {
  const [program, ...args] = words;
  return `process.exitCode = require('node:child_process').spawnSync(${JSON.stringify(program)}, ${JSON.stringify(args)}, { stdio: 'inherit' }).status`;
}
for (const [what, wordsOf] of firstProcesses)
  onLinux(`in a plain container nothing is refused: ${what}`, async () => {
    await using cli = new CommandLine();
    const { status, stdout } = await cli.call([], { before: wordsOf(cli) });
    assert.equal(status, 0);
    assert.equal(oneObject(stdout).command, 'true');
  });

for (const [what, script] of [
  ['sleep infinity', 'exec sleep infinity'],
  ['a program that reaps', 'while :; do sleep 1; done'],
] as const)
  onLinux(`who comes into a container by exec is not refused: ${what}`, async () => {
    await using cli = new CommandLine();
    await using inside = await PidNamespace.start(script);
    const { status, stderr } = await cli.call([], { before: [...inside.enter, ...call(cli, 'run true')] });
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
  });

onLinux('doctor warns of a sandbox and of a container, and of neither outside', async () => {
  await using cli = new CommandLine();
  const found = async (before: readonly string[]): Promise<string> => {
    const { stdout } = await cli.call([], { before: [...before, ...call(cli, 'doctor --json')] });
    const { level, message } = objects(stdout).find(({ check }) => check === 'sandbox') ?? {};
    return `${level}: ${message}`;
  };
  assert.match(await found(sandbox), /^warning: .*sandbox \(bwrap\) that ends with the call/);
  assert.match(await found(container), /^warning: .*ends with its first process \(sh\)/);
});

onLinux('in a sandbox with the /proc of the machine a store can be read, and nothing is judged', async () => {
  await using cli = new CommandLine();
  const taskId = await cli.spawn('sleep 1000');
  await cli.until(taskId, ({ status }) => status === 'running');
  // The pids of the sandbox are those of others, of the machine or of none: each one is tried that a short shell can have.
  for (const before of ['', 'true & true & wait; ', 'for i in 1 2 3 4 5 6 7; do (:); done; ']) {
    const inside = async (words: string) =>
      await cli.call([], { before: [...outerProc, 'sh', '-c', `${before}${cli.inShell} ${words}; exit $?`] });
    const shown = oneObject((await inside(`show --json ${taskId}`)).stdout);
    assert.deepEqual([shown.status, shown.statusReason], ['running', 'elsewhere']);
    const { status, stderr } = await inside(`kill ${taskId}`);
    assert.equal(status, 125);
    assert.match(stderr, /expected the \/proc of this pid namespace; found that of an outer one/);
  }
  assert.equal((await cli.snapshot(taskId)).status, 'running');
  await cli.run('kill', taskId);
});

onLinux(
  'in a sandbox that can only read the store, verbs that read work and run says what is wrong',
  async () => {
    await using cli = new CommandLine();
    const taskId = await cli.ended('true');
    const reads = [...['bwrap', '--ro-bind', '/', '/', '--dev', '/dev', '--'], 'sh', '-c'];
    const inside = async (words: string) =>
      await cli.call([], { before: [...reads, `${cli.inShell} ${words}; exit $?`] });
    assert.match((await inside('ps -a')).stdout, new RegExp(taskId));
    for (const words of ['run true', 'run -s fresh true', `run --store ${cli.dir}/../none/x true`]) {
      const { status, stdout, stderr } = await inside(words);
      assert.deepEqual({ status, stdout }, { status: 125, stdout: '' });
      assert.match(stderr, /read-only/, words);
      assert.doesNotMatch(stderr, /ENOENT/, words);
    }
  },
);
