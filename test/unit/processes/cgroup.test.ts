import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeGroup, oomKillsOfGroup } from '../../../src/platform/linux/cgroup.ts';
import { findCgroupHome, openCgroupHome } from '../../../src/platform/linux/cgroup-home.ts';
import { findScopeHome } from '../../../src/platform/linux/systemd.ts';
import { FakeCgroup } from '../../support/cgroups.ts';

// Folders that look like cgroups. test/integration/spawn/limits-by-cgroup.test.ts has real ones.

function mounts(dir: string): string {
  return `22 1 0:5 / /proc rw - proc proc rw\n30 1 0:26 / ${dir} rw,relatime shared:4 - cgroup2 cgroup2 rw\n`;
}

function child(parent: string, name: string, handedDown: string): string {
  const dir = join(parent, name);
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'cgroup.subtree_control'), handedDown);
  return dir;
}

test('the parent of our cgroups is the nearest cgroup above that delegates controllers', () => {
  using fake = new FakeCgroup('cpu memory pids\n');
  const slice = child(fake.dir, 'user.slice', 'memory pids\n');
  child(fake.dir, 'user.slice/agent.scope', '');
  const sources = { self: '1:name=x:/a\n0::/user.slice/agent.scope\n', mounts: mounts(fake.dir) };
  assert.deepEqual(findCgroupHome(sources), {
    dir: slice,
    controllers: new Set(['memory', 'pids']),
    starter: null,
  });
});

test('no parent is found without delegated controllers, without a mount, and outside of the namespace', () => {
  using fake = new FakeCgroup('hugetlb');
  assert.equal(findCgroupHome({ self: '0::/\n', mounts: mounts(fake.dir) }), null);
  assert.equal(findCgroupHome({ self: '0::/\n', mounts: '' }), null);
  assert.equal(findCgroupHome({ self: '4:memory:/a\n', mounts: mounts(fake.dir) }), null);
  assert.equal(findCgroupHome({ self: '0::/../a\n', mounts: mounts(fake.dir) }), null);
});

test('the search changes no cgroup that delegates nothing; one that the user names delegates what it has', () => {
  using fake = new FakeCgroup('cpu memory pids');
  fake.write('cgroup.subtree_control', '');
  assert.equal(findCgroupHome({ self: '0::/\n', mounts: mounts(fake.dir) }), null);
  assert.equal(readFileSync(join(fake.dir, 'cgroup.subtree_control'), 'utf8'), '');
  openCgroupHome(fake.dir);
  assert.notEqual(readFileSync(join(fake.dir, 'cgroup.subtree_control'), 'utf8'), '');
});

test('the service manager of a user without lingering is not used: its cgroups would end with the login', async () => {
  assert.equal(await findScopeHome('/nowhere/linger/somebody'), null);
});

test('a folder that is not a cgroup is no parent', () => {
  using fake = new FakeCgroup('memory');
  mkdirSync(join(fake.dir, 'plain'));
  assert.equal(openCgroupHome(join(fake.dir, 'plain')), null);
  assert.equal(openCgroupHome(join(fake.dir, 'none')), null);
});

test('a cgroup that cannot be made is not used, and leaves nothing', () => {
  using fake = new FakeCgroup('memory');
  const home = { dir: join(fake.dir, 'none'), controllers: new Set(['memory']), starter: null };
  assert.equal(makeGroup(home, 'a', { memoryBytes: 1 }), null);
  assert.equal(existsSync(home.dir), false);
});

test('kills for memory are counted, and are zero if the kernel does not count them', () => {
  using fake = new FakeCgroup('memory');
  assert.equal(oomKillsOfGroup(fake.dir), 0);
  fake.write('memory.events', 'low 0\nhigh 0\nmax 7\noom 3\noom_kill 2\noom_group_kill 0\n');
  assert.equal(oomKillsOfGroup(fake.dir), 2);
});
