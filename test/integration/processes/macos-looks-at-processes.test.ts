import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { bsd, bsdSystem } from '../../../src/platform/macos/bsd.ts';
import { fixturePath, waitFor } from '../../support/world.ts';

/** On a Mac the system itself, elsewhere one that has a stand-in for `ps`. */
const system =
  process.platform === 'darwin' ? bsd : bsdSystem([process.execPath, fixturePath('ps-of-macos.mjs')]);
const cookie = `bgb-${randomBytes(6).toString('hex')}.5`;

test('a process is found by its cookie, and named without its environment', async () => {
  using member = new Waiter({ OUTLIVE_TASK: cookie, SECRET: 'hush' });
  await waitFor(async () => (await system.members(cookie, null, null)).length > 0, 'the process');
  const found = await system.members(cookie, null, null);
  assert.deepEqual(
    found.map(({ pid, command }) => [pid, command]),
    [[member.pid, member.command]],
  );
});

test('a task is suspended if its command is, although its shim runs', async () => {
  using command = new Waiter({});
  const shim = system.view(process.pid);
  assert.ok(shim);
  assert.equal(system.isSuspended(shim, null), false);
  assert.equal(system.isSuspended(shim, command.pid), false);
  process.kill(command.pid, 'SIGSTOP');
  await waitFor(() => system.isSuspended(shim, command.pid), 'the command to be stopped');
});

/** A process that waits to be killed. Node, since macOS shows no environment of its own programs. */
class Waiter implements Disposable {
  readonly pid: number;
  readonly command: string;

  constructor(env: NodeJS.ProcessEnv) {
    const args = ['-e', 'setInterval(Object,1e6)'];
    this.command = [process.execPath, ...args].join(' ');
    const child = spawn(process.execPath, args, { env, stdio: 'ignore' });
    this.pid = child.pid ?? assert.fail();
  }

  [Symbol.dispose](): void {
    process.kill(this.pid, 'SIGKILL');
  }
}
