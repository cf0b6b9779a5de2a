import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommandLine, oneObject } from '../../support/command-line.ts';
import { waitFor } from '../../support/world.ts';

const variables = ['CLAUDE_CODE_SESSION_ID', 'CODEX_THREAD_ID', 'PI_SESSION_ID'];

for (const name of variables)
  test(`in a shell with ${name} the session is the conversation that it names`, async () => {
    await using cli = new CommandLine();
    const env = { [name]: 'conversation 1' };
    const sessionOf = async (words: readonly string[], more: NodeJS.ProcessEnv = {}) =>
      oneObject((await cli.call(['run', '--json', ...words, 'true'], { env: { ...env, ...more } })).stdout)
        .sessionId;
    assert.equal(await sessionOf([]), 'conversation 1');
    assert.equal(await sessionOf([], { OUTLIVE_SESSION: 'named' }), 'named');
    assert.equal(await sessionOf(['-s', 'given']), 'given');
    assert.equal(await sessionOf([], { [name]: 'x'.repeat(1025) }), 'default');
  });

/** The words of a shell that sets a variable for its children, and stays their parent. */
function agent(name: string, inside: string): string {
  return `${name}=${name} sh -c ${shellQuote(`${inside}; exit $?`)}; exit $?`;
}

function shellQuote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Only Linux shows the environments of ancestors. */
const onLinux = process.platform === 'linux' ? test : () => undefined;

onLinux('an agent in the shell of another agent is the one that is meant', async () => {
  await using cli = new CommandLine();
  const run = `${cli.inShell} run --json true`;
  for (const outer of variables)
    for (const inner of variables.filter((name) => name !== outer)) {
      const words = ['sh', '-c', agent(outer, agent(inner, run)), 'sh'];
      const { stdout, stderr } = await cli.call([], { before: words });
      assert.equal(oneObject(stdout).sessionId, inner, stderr);
    }
});

test('an OUTLIVE_SESSION that cannot name a session is refused', async () => {
  await using cli = new CommandLine();
  const { status, stderr } = await cli.call(['run', 'true'], { env: { OUTLIVE_SESSION: 'x'.repeat(1025) } });
  assert.equal(status, 64);
  assert.match(stderr, /OUTLIVE_SESSION/);
});

test('in a conversation where nothing runs, ps lists what others left running in its folder', async () => {
  await using cli = new CommandLine();
  const taskId = await cli.spawn('sleep 1000', '-n', 'dev');
  const ps = async (env: NodeJS.ProcessEnv) => await cli.call(['ps'], { env });
  const fresh = { CLAUDE_CODE_SESSION_ID: 'fresh' };
  await waitFor(async () => (await ps(fresh)).stderr !== '', 'ps to tell of it');
  const { status, stdout, stderr } = await ps(fresh);
  assert.deepEqual({ status, stdout }, { status: 0, stdout: '' });
  assert.match(
    stderr,
    new RegExp(`these tasks run in this folder, .*no process has open: ${taskId} \\(dev\\)\\.`),
  );
  // Scripts that are no agent's get no hints.
  assert.equal((await ps({ OUTLIVE_SESSION: 'fresh' })).stderr, '');
  await cli.run('kill', taskId);
});
