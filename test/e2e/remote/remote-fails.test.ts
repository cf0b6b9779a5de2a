import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { CommandLine, oneObject } from '../../support/command-line.ts';
import { OtherMachine } from '../../support/other-machine.ts';
import { waitFor } from '../../support/world.ts';

let there: OtherMachine;

before(async () => {
  there = await OtherMachine.start();
});

after(async () => await there?.[Symbol.asyncDispose]());

/** The error that a call ends with, as an object. */
async function errorOf(env: NodeJS.ProcessEnv, ...words: string[]): Promise<[number | null, string, string]> {
  await using here = new CommandLine();
  const { status, stdout, stderr } = await here.call([...words, '--json'], { env });
  assert.equal(stdout, '');
  const { code, message, details } = oneObject(stderr).error;
  if (code !== 'USAGE') assert.equal(typeof details.host, 'string');
  return [status, code, message];
}

test('117: an unknown key and a changed key are distinguished, and nothing is done', async () => {
  await using stranger = await OtherMachine.start({ known: false });
  const [status, code, message] = await errorOf(stranger.reach(), 'ps');
  assert.deepEqual([status, code], [117, 'HOST_KEY']);
  assert.match(
    message,
    /found none\. Connect once at a terminal, .*: ssh -p \d+ 'root@127|found none\. Connect/,
  );
  stranger.know('other');
  const [again, changed, text] = await errorOf(stranger.reach(), 'ps');
  assert.deepEqual([again, changed], [117, 'HOST_KEY']);
  assert.match(text, /found another one\. .*ssh-keygen -R '\[127\.0\.0\.1\]:\d+'/);
  assert.deepEqual(stranger.files(), []);
});

test('118: the machine is out of reach, or does not accept the key', async () => {
  const { OUTLIVE_SSH } = there.reach();
  const nobody = { OUTLIVE_SSH, OUTLIVE_HOST: 'ssh://127.0.0.1:1' };
  const [status, code, message] = await errorOf(nobody, 'ps');
  assert.deepEqual([status, code], [118, 'HOST_UNREACHABLE']);
  assert.match(message, /Connection refused/);
  const stranger = `ssh -F none -o IdentitiesOnly=yes -o IdentityAgent=none -i ${there.base}/host`;
  const strange = { ...there.reach(), OUTLIVE_SSH: `${stranger} -o UserKnownHostsFile=${there.base}/known` };
  const [denied, why, text] = await errorOf(strange, 'ps');
  assert.deepEqual([denied, why], [118, 'HOST_UNREACHABLE']);
  assert.match(text, /Permission denied/);
});

test('118: there is no ssh here', async () => {
  const bin = join(there.base, 'no-ssh');
  mkdirSync(bin);
  symlinkSync(process.execPath, join(bin, 'node'));
  const [status, code, message] = await errorOf({ PATH: bin, OUTLIVE_HOST: 'ssh://box' }, 'ps');
  assert.deepEqual([status, code], [118, 'HOST_UNREACHABLE']);
  assert.match(message, /Install the OpenSSH client/);
});

test('125: there is no outlive there, or it is too old, or speaks another protocol', async () => {
  const { OUTLIVE_SSH } = there.reach();
  const programs = {
    old: 'echo "outlive: unknown command \'__remote\'" >&2; exit 64',
    newer:
      'printf "\\036%s {\\"kind\\":\\"hello\\",\\"protocol\\":2,\\"version\\":\\"9.1.0\\"}\\036" "$2" >&2; cat >/dev/null',
    nothing: null,
  };
  const found = await Promise.all(
    Object.entries(programs).map(async ([name, script]) => {
      const path = join(there.base, name);
      if (script !== null) writeFileSync(path, `#!/bin/sh\n${script}\n`);
      if (script !== null) chmodSync(path, 0o755);
      return await errorOf({ OUTLIVE_SSH, OUTLIVE_HOST: `${there.url}${path}` }, 'ps');
    }),
  );
  for (const [status, code] of found) assert.deepEqual([status, code], [125, 'HOST_PROGRAM']);
  const [old, newer, nothing] = found.map(([, , message]) => message);
  assert.match(old ?? '', /one that does not, .*unknown command .*Install this version there/);
  assert.match(newer ?? '', /found 9\.1\.0, which speaks 2\. Install the newer version here/);
  assert.match(nothing ?? '', /found no program .*nothing\. Install it there/);
});

test('118: the connection breaks in the middle of logs -f, wait and run --wait, and the tasks go on', async () => {
  await using machine = await OtherMachine.start();
  await using here = new CommandLine();
  const command = 'echo begun; until [ -e stop ]; do sleep 0.05; done';
  const taskId = await machine.spawn(command, '-n', 'long', '-C', machine.base);
  const start = (...words: string[]) => here.start(words, { env: machine.reach() });
  const [logs, wait, run] = [
    start('logs', '-f', 'long'),
    start('wait', 'long'),
    start('run', '--wait', '-n', 'other', 'sleep 1000'),
  ];
  await logs.says('begun');
  await waitFor(() => machine.taskIds().length === 2, 'the task');
  await waitFor(() => answering(machine) === 3, 'all to be answered there');
  machine.cut();
  for (const [running, says] of [
    [logs, /found that the connection broke\. Tasks continue there/],
    [wait, /found that the connection broke\. Tasks continue there/],
    [run, /found that the connection broke\. It is not known whether run was done/],
  ] as const) {
    const { status, stderr } = await running.answer;
    assert.equal(status, 118, stderr);
    assert.match(stderr, says);
  }
  assert.equal((await machine.snapshot(taskId)).status, 'running');
  assert.equal((await machine.snapshot('other')).status, 'running');
  // Nobody there takes the end for those who have gone.
  await waitFor(() => answering(machine) === 0, 'nobody to wait there');
  writeFileSync(join(machine.base, 'stop'), '');
  await machine.until(taskId, ({ endedAt }) => endedAt !== null);
  assert.equal((await machine.snapshot(taskId)).delivered, false);
});

/** How many programs answer calls there. */
function answering(machine: OtherMachine): number {
  const lines = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).split('\n');
  return lines.filter((line) => line.includes('__remote') && line.includes(`${machine.base}/.local/bin`))
    .length;
}

test('118: a machine that stops answering blocks nobody', async () => {
  await using machine = await OtherMachine.start();
  await using here = new CommandLine();
  await machine.spawn('echo begun; sleep 1000', '-n', 'long');
  const env = machine.reach('-o ServerAliveInterval=1 -o ServerAliveCountMax=1');
  const running = here.start(['logs', '-f', 'long'], { env });
  await running.says('begun');
  machine.pause();
  const { status, stderr } = await running.answer;
  assert.equal(status, 118, stderr);
  assert.match(stderr, /the connection broke/);
});

const refused = [
  [['--host', 'box', 'ps'], /found "box"\. Write: ssh:\/\/box/],
  [['--host', 'ssh://-oProxyCommand=touch x', 'ps'], /the name of a machine/],
  [['--host', 'ssh://-x@box', 'ps'], /the name of a user/],
  [['--host', 'ssh://me:word@box', 'ps'], /no password/],
  [['--host', 'ssh://box:0', 'ps'], /a port from 1 to 65535/],
  [['--host', "ssh://box/bin/x'y", 'ps'], /the path of outlive/],
  [['--host', 'ssh://a', '--host', 'ssh://a', 'ps'], /each machine once/],
  [['--host', 'ssh://a', '--host', 'ssh://b', 'kill', '--all'], /one machine for kill; found 2: a, b/],
  [['--host', 'ssh://a', '--host', 'ssh://b', 'ps', '-q'], /without -q/],
  [['--host', 'ssh://a', 'setup', 'claude'], /found setup/],
  [['--host', 'ssh://a', 'ui'], /found ui/],
  [['--host', 'ssh://a', 'completion', 'bash'], /found completion/],
  [['--host', 'ssh://a', 'mcp', '--http'], /found --http/],
  [['--host', 'ssh://a', 'ps', '--here'], /found --here/],
  [['--host', 'ssh://a', 'run', '--bind-to', '1', 'true'], /the pid of a process/],
  [['--host', 'ssh://a', 'run', '-t', 'soon', 'true'], /Expected a number with its unit/],
  [['--host'], /expected a verb/],
  [['ps', '--host', 'ssh://a'], /Write it before the verb: outlive --host ssh:\/\/user@box ps/],
] as const;

test('64: what cannot work on another machine is refused before that machine is asked', async () => {
  await using here = new CommandLine();
  const asked = join(here.base, 'asked');
  await Promise.all(
    refused.map(async ([words, says]) => {
      const { status, stdout, stderr } = await here.call(words, { env: { OUTLIVE_SSH: `touch ${asked};` } });
      assert.deepEqual([status, stdout], [64, ''], `${words.join(' ')}: ${stderr}`);
      assert.match(stderr, says);
    }),
  );
  assert.equal(existsSync(asked), false);
  // The environment names a machine for all shells: what is for a shell of this one goes on.
  const script = await here.call(['completion', 'bash'], { env: { OUTLIVE_HOST: 'ssh://a' } });
  assert.equal(script.status, 0);
  assert.match(script.stdout, /^# bash completion/);
});
