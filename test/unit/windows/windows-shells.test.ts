import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OutliveError } from '../../../src/errors/error.ts';
import { findWindowsShell, shellKind, shellName } from '../../../src/platform/windows/shells.ts';

const cmd = 'C:\\Windows\\System32\\cmd.exe';
const powershell = 'C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe';
const pwsh = 'C:\\Program Files\\PowerShell\\7\\pwsh.exe';
const bash = 'C:\\Program Files\\Git\\bin\\bash.exe';
const wsl = 'C:\\Windows\\System32\\bash.exe';
const environment = {
  SystemRoot: 'C:\\Windows',
  ComSpec: cmd,
  ProgramFiles: 'C:\\Program Files',
  PATH: 'C:\\Windows\\System32;C:\\Program Files\\Git\\cmd',
};

function find(name: string | undefined, there: readonly string[], more: NodeJS.ProcessEnv = {}): string {
  return findWindowsShell(name, { ...environment, ...more }, (path) => there.includes(path));
}

test('without a name the first existing shell is used: $SHELL, pwsh, powershell, the bash of Git, cmd', () => {
  const zsh = 'D:\\tools\\zsh.exe';
  const all = [cmd, powershell, pwsh, bash, wsl, zsh];
  assert.equal(find(undefined, all, { SHELL: zsh }), zsh);
  assert.equal(find(undefined, all), pwsh);
  assert.equal(find(undefined, [cmd, powershell, bash, wsl]), powershell);
  assert.equal(find(undefined, [cmd, bash, wsl]), bash);
  assert.equal(find(undefined, [cmd, wsl]), cmd);
});

test('a missing $SHELL, or one with a git-bash path, is skipped or found by its name', () => {
  assert.equal(find(undefined, [cmd], { SHELL: 'D:\\gone\\zsh.exe' }), cmd);
  assert.equal(find(undefined, [cmd, bash], { SHELL: '/usr/bin/bash' }), bash);
});

test('bash is never the one of WSL, and is found next to git', () => {
  const portable = 'E:\\git\\bin\\bash.exe';
  assert.throws(() => find('bash', [wsl, cmd]));
  const there = [portable, 'E:\\git\\cmd\\git.exe'];
  assert.equal(find('bash', there, { PATH: 'E:\\git\\cmd' }), portable);
});

test('a bash without programs in its PATH is replaced by the one that sets the PATH', () => {
  const inner = 'C:\\Program Files\\Git\\usr\\bin\\bash.exe';
  assert.equal(find(inner, [inner, bash]), bash);
  assert.equal(find(inner, [inner]), inner);
});

test('the error names the shells that were tried', () => {
  assert.throws(
    () => find('zsh', [cmd]),
    (error: unknown) =>
      error instanceof OutliveError &&
      error.code === 'SHELL_NOT_FOUND' &&
      error.message.includes('C:\\Program Files\\Git\\cmd\\zsh.exe'),
  );
  for (const name of ['tools\\bash', '/usr/bin/bash', './bash'])
    assert.throws(() => find(name, [cmd, bash]), { code: 'SHELL_NOT_FOUND' });
});

test('the kind of a shell follows from the name of its program', () => {
  assert.deepEqual([cmd, powershell, pwsh, bash, 'C:\\x\\ZSH.EXE'].map(shellKind), [
    'cmd',
    'powershell',
    'powershell',
    'posix',
    'posix',
  ]);
  assert.equal(shellName('C:\\x\\Bash.EXE'), 'bash');
});
