import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProcessIdentity } from '../../../src/model/words.ts';
import { isAlive, originOf, pidExists } from '../../../src/platform/identity.ts';
import { linux } from '../../../src/platform/linux/linux.ts';
import { withMachine } from '../../../src/platform/machine.ts';
import type { System } from '../../../src/platform/system.ts';

/** This process, on a machine and in a namespace of our choice. */
const self: ProcessIdentity = {
  pid: process.pid,
  start: linux.view(process.pid)?.start ?? null,
  boot: 'boot-1',
  pidNamespace: 'pid:[1]',
  host: 'host-1',
};

/** The real processes, seen from there; one other namespace has processes in sight. */
const system: System = {
  ...linux,
  self: () => self,
  namespaceIsAlive: (namespace) => namespace === 'pid:[alive]',
};

test('an identity is of here only if its boot and pid namespace are ours', () => {
  const origin = (more: Partial<ProcessIdentity>) => originOf({ ...self, ...more }, system);
  assert.equal(origin({}), 'here');
  assert.equal(origin({ boot: 'boot-0' }), 'earlier_boot');
  assert.equal(origin({ boot: 'boot-0', pidNamespace: 'pid:[2]' }), 'earlier_boot');
  // It has ended, or it hides: its files tell which.
  for (const host of ['host-1', 'host-2']) assert.equal(origin({ host, pidNamespace: 'pid:[2]' }), 'unseen');
});

test('across boots the machine id counts, or the host name if the id is unknown', () => {
  const [one, other] = ['m'.repeat(32), 'n'.repeat(32)];
  const origin = (own: string | undefined, more: Partial<ProcessIdentity>) => {
    const here = own === undefined ? self : { ...self, machine: own };
    return originOf({ ...self, boot: 'boot-0', ...more }, { ...system, self: () => here });
  };
  assert.equal(origin(one, { machine: one, host: 'renamed' }), 'earlier_boot');
  assert.equal(origin(one, { machine: other }), 'elsewhere');
  for (const [own, theirs] of [
    [one, undefined],
    [undefined, one],
    [undefined, undefined],
  ] as const) {
    const machine = theirs === undefined ? {} : { machine: theirs };
    assert.equal(origin(own, machine), 'earlier_boot');
    assert.equal(origin(own, { ...machine, host: 'renamed' }), 'elsewhere');
  }
  // Two containers of one machine share its id.
  assert.equal(
    origin(one, { boot: self.boot, machine: one, host: 'host-2', pidNamespace: 'pid:[2]' }),
    'unseen',
  );
});

test('machines are distinguished even if the kernel does not distinguish its boots', () => {
  const here = { ...self, boot: '' };
  const origin = (more: Partial<ProcessIdentity>) =>
    originOf({ ...here, ...more }, { ...system, self: () => here });
  assert.equal(origin({}), 'here');
  assert.equal(origin({ host: 'host-2' }), 'elsewhere');
});

test('the machine id is shown as a hash, read on request, and the same each time', () => {
  let looks = 0;
  const find = (): string => {
    looks += 1;
    return '0123456789abcdef0123456789abcdef';
  };
  const identity = withMachine(self, find);
  assert.deepEqual([identity.pid, identity.host, looks], [self.pid, self.host, 0]);
  const { machine } = identity;
  assert.match(machine ?? '', /^[0-9a-f]{32}$/);
  assert.notEqual(machine, find());
  assert.equal(JSON.parse(JSON.stringify({ ...identity })).machine, machine);
  assert.equal(withMachine(self, () => null).machine, undefined);
});

test('a process that may live where we cannot see it is elsewhere, and is not judged', () => {
  const origin = (more: Partial<ProcessIdentity>) => originOf({ ...self, ...more }, system);
  assert.equal(origin({ host: 'host-2', boot: 'boot-2' }), 'elsewhere');
  // A container of the same name whose processes we see, and the machine below a container.
  assert.equal(origin({ pidNamespace: 'pid:[alive]' }), 'elsewhere');
  assert.equal(isAlive({ ...self, host: 'host-2', boot: 'boot-2' }, system), 'unknown');
  assert.equal(isAlive({ ...self, host: 'host-2', pidNamespace: 'pid:[2]' }, system), 'unknown');
});

test('a host that was renamed since is still here', () => {
  assert.equal(originOf({ ...self, host: 'old-name' }, system), 'here');
});

test('a process lives if pid and start time match; another start time means another process', () => {
  assert.equal(isAlive(self, system), 'yes');
  assert.equal(isAlive({ ...self, start: (self.start ?? 0) + 1 }, system), 'no');
  assert.equal(isAlive({ ...self, pid: 2 ** 22 + 1 }, system), 'no');
});

test('processes from before the last start of the machine or container are dead, whoever has the pid now', () => {
  assert.equal(isAlive({ ...self, boot: 'boot-0' }, system), 'no');
  assert.equal(isAlive({ ...self, pidNamespace: 'pid:[2]' }, system), 'no');
});

test('a zombie is dead', () => {
  const zombies: System = {
    ...system,
    view: (pid) => {
      const seen = linux.view(pid);
      return seen && { ...seen, zombie: true };
    },
  };
  assert.equal(isAlive(self, zombies), 'no');
});

test('the first pid namespace of the machine is always alive, seen or not', () => {
  assert.equal(linux.namespaceIsAlive('pid:[4026531836]'), true);
  assert.equal(linux.namespaceIsAlive('pid:[1]'), false);
  assert.equal(linux.namespaceIsAlive(linux.self().pidNamespace), true);
});

test('used pids exist, whether ours or not', () => {
  assert.equal(pidExists(process.pid), true);
  assert.equal(pidExists(1), true);
  assert.equal(pidExists(2 ** 22 + 1), false);
});

test('an invalid pid is no process, and no system call is made for it', (t) => {
  const kill = t.mock.method(process, 'kill');
  for (const pid of [0, -1, -process.pid, 1.5, Number.NaN, 2 ** 31, 2_151_677_942, 2 ** 32 + process.pid])
    assert.equal(pidExists(pid), false, String(pid));
  assert.equal(kill.mock.callCount(), 0);
});
