import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { BareShim } from '../../support/bare-shim.ts';
import { isLive, World, waitFor } from '../../support/world.ts';

// What a shell starts in the background ignores SIGINT and SIGQUIT, and what a shell ignores is inherited.
const dispositions = 'grep -E "^Sig(Ign|Blk)" /proc/self/status';

test('a command ignores and blocks the same signals as a bare child', async () => {
  await using world = new World();
  const session = await world.session();
  const { output } = await session.run(dispositions);
  assert.equal(output.text, spawnSync('bash', ['-c', dispositions], { encoding: 'utf8' }).stdout);
});

for (const name of ['INT', 'QUIT', 'TERM', 'HUP', 'PIPE', 'USR1', 'USR2', 'ALRM']) {
  test(`SIG${name} ends a command that does not handle it, and reaches the trap of a command that does`, async () => {
    await using world = new World();
    const session = await world.session();
    const { snapshot } = await session.run(`sh -c 'kill -${name} $$; sleep 20; exit 3'; test $? -gt 128`);
    assert.equal(snapshot.exitCode, 0);
    const { output } = await session.run(`trap 'echo trapped' ${name}; kill -${name} $$`);
    assert.equal(output.text, 'trapped\n');
  });
}

/** Those that nobody can block. */
const unblockable = [9, 19];

test('only SIGKILL and SIGSTOP have an effect on a shim; even signals that the C library reserves have none', async () => {
  await using world = new World();
  const shim = await BareShim.in(world.base);
  assert.equal(
    await shim.start(shim.request('trap "exit 3" USR1; echo ready; while :; do sleep 0.01; done')),
    0,
  );
  const started = () => shim.facts().find((fact) => fact.fact === 'started');
  await waitFor(() => shim.written() === 'ready\n', 'the command');
  const { pid = 0, shimPid = 0 } = started() ?? {};
  for (let number = 1; number <= 64; number += 1)
    if (!unblockable.includes(number)) process.kill(shimPid, number);
  await waitFor(() => {
    if (isLive(pid)) process.kill(pid, 'SIGUSR1');
    return shim.facts().some(({ fact }) => fact === 'exit');
  }, 'the exit');
  assert.equal(shim.facts().find((fact) => fact.fact === 'exit')?.code, 3);
});

test('a command does not inherit ignored signals from its spawner', async () => {
  await using world = new World();
  const shim = await BareShim.in(world.base);
  const before = ['bash', '-c', 'trap \'\' INT HUP RTMIN RTMIN+1 RTMAX; exec "$@"', 'bash'];
  assert.equal(await shim.start(shim.request('grep SigIgn /proc/self/status'), before), 0);
  await waitFor(() => shim.facts().some(({ fact }) => fact === 'exit'), 'the exit');
  assert.equal(shim.written(), 'SigIgn:\t0000000000000000\n');
});
