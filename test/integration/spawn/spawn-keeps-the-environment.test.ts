import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { onWindows } from '../../support/processes.ts';
import { World } from '../../support/world.ts';

/** Made by shells for themselves (on Windows cmd is one of them), or by us for the task. */
const made = onWindows
  ? /^(OUTLIVE_TASK|_|SHLVL|PWD|OLDPWD|PROMPT|![A-Z]:)=/
  : /^(OUTLIVE_TASK|_|SHLVL|PWD|OLDPWD)=/;

const awkward = {
  EMPTY: '',
  LINES_: 'a\nb\n',
  IFS: 'x',
  PS4: '$(echo attacked)',
  ENV: '/nowhere',
  CDPATH: '/tmp',
  UMLAUT: 'ü€😀',
  _outlive_code: 'mine',
  lower_case: 'x y',
};

type Environment = Readonly<Record<string, string>>;

/** The names of the variables that differ between a task and a bare bash; values may be secrets. */
async function differences(env: Environment): Promise<string[]> {
  await using world = new World();
  const session = await world.session();
  const { output } = await session.run('env -0', { maxBytes: 1024 ** 2, env });
  // With a socket as stdin bash believes that it was started by a remote shell, and reads .bashrc.
  const bare = spawnSync('bash', ['-c', 'env -0'], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [ours, theirs] = [entries(output.text), entries(bare.stdout)];
  const lost = [...theirs].filter((entry) => !ours.has(entry));
  const added = [...ours].filter((entry) => !theirs.has(entry));
  return [...lost, ...added].map((entry) => entry.slice(0, entry.indexOf('=')));
}

function entries(text: string): Set<string> {
  return new Set(text.split('\0').filter((entry) => entry !== '' && !made.test(entry)));
}

test('the command gets the same user environment as under a bare bash', async () => {
  assert.deepEqual(await differences(awkward), []);
});

test('variables whose names are not valid in a shell reach the command, too', async () => {
  const env = { 'a.b': '1', 'npm_config_//registry/': '2', 'ProgramFiles(x86)': '3', '1st': '4' };
  assert.deepEqual(await differences(env), []);
});

test('an exported bash function is available to the command', async () => {
  await using world = new World();
  const session = await world.session();
  const env = { 'BASH_FUNC_greet%%': '() {  echo hello\n}' };
  const { output } = await session.run('greet', { env });
  assert.equal(output.text, 'hello\n');
});
