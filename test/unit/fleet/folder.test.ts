import '../../support/suppressed-error.ts';
import assert from 'node:assert/strict';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readCredentials, writeCredentials } from '../../../src/fleet/admin/credentials.ts';
import { defaultFleetFolder, FleetFolder, fleetFiles } from '../../../src/fleet/admin/folder.ts';
import { parseAddress } from '../../../src/fleet/bus/address.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';

const onlyPosix = notOnWindows('the fleet is refused there, and files have no modes');
const unsafe = { code: 'FLEET_CREDENTIALS' };

const host = {
  labels: {},
  slots: null,
  fleet: { servers: [parseAddress('box:4222')], ca: null, coordinator: 'c'.repeat(43) },
  name: 'h1',
  seed: `SU${'A'.repeat(56)}`,
  token: 'a.b.c',
};

/** A folder of the test's own, removed at the end. */
function place(): Disposable & { readonly base: string; readonly path: string } {
  const base = mkdtempSync(join(tmpdir(), 'outlive-keys-'));
  return {
    base,
    path: join(base, 'outlive', 'fleet'),
    [Symbol.dispose]: () => rmSync(base, { recursive: true }),
  };
}

test('keys are in the folder of the configuration', onlyPosix, () => {
  assert.equal(defaultFleetFolder({ XDG_CONFIG_HOME: '/etc/me' }), '/etc/me/outlive/fleet');
  assert.match(defaultFleetFolder({ XDG_CONFIG_HOME: 'relative' }), /\/\.config\/outlive\/fleet$/);
});

test(
  'only their user can read the folder and its files, and they contain what was written',
  onlyPosix,
  () => {
    using at = place();
    const folder = FleetFolder.open(at.path);
    assert.equal(readCredentials.host(folder), null);
    writeCredentials.host(folder, host);
    writeCredentials.host(folder, { ...host, name: 'h2' });
    assert.deepEqual(readCredentials.host(FleetFolder.open(at.path)), { ...host, name: 'h2' });
    assert.equal(statSync(at.path).mode & 0o777, 0o700);
    assert.deepEqual(readdirSync(at.path), ['host.json']);
    assert.equal(statSync(join(at.path, 'host.json')).mode & 0o777, 0o600);
  },
);

test('a file that others can read, a link, and something that is not a file are refused', onlyPosix, () => {
  using at = place();
  const folder = FleetFolder.open(at.path);
  const path = folder.pathOf(fleetFiles.host);
  writeCredentials.host(folder, host);
  for (const mode of [0o640, 0o604, 0o622]) {
    chmodSync(path, mode);
    assert.throws(() => readCredentials.host(folder), { ...unsafe, message: /mode 600/ });
  }
  chmodSync(path, 0o600);
  assert.deepEqual(readCredentials.host(folder), host);
  rmSync(path);
  writeFileSync(join(at.base, 'elsewhere'), '{}', { mode: 0o600 });
  symlinkSync(join(at.base, 'elsewhere'), path);
  assert.throws(() => readCredentials.host(folder), unsafe);
  // What is written takes the place of the link; what it leads to stays.
  writeCredentials.host(folder, host);
  assert.deepEqual(readCredentials.host(folder), host);
  assert.equal(statSync(join(at.base, 'elsewhere')).size, 2);
  rmSync(path);
  mkdirSync(path);
  assert.throws(() => readCredentials.host(folder), unsafe);
});

test('a folder that others may change, or that is a link, is refused', onlyPosix, () => {
  using at = place();
  FleetFolder.open(at.path);
  chmodSync(at.path, 0o770);
  assert.throws(() => FleetFolder.open(at.path), unsafe);
  chmodSync(at.path, 0o700);
  FleetFolder.open(at.path);
  chmodSync(join(at.base, 'outlive'), 0o777);
  assert.throws(() => FleetFolder.open(at.path), unsafe);
  chmodSync(join(at.base, 'outlive'), 0o700);
  rmSync(at.path, { recursive: true });
  mkdirSync(join(at.base, 'real'), { mode: 0o700 });
  symlinkSync(join(at.base, 'real'), at.path);
  assert.throws(() => FleetFolder.open(at.path), unsafe);
  assert.throws(() => FleetFolder.open('relative/fleet'), unsafe);
});

test('a malformed file is refused, without repeating its content', onlyPosix, () => {
  using at = place();
  const folder = FleetFolder.open(at.path);
  writeCredentials.host(folder, host);
  const good = JSON.parse(folder.read(fleetFiles.host) ?? '');
  const secret = good.seed as string;
  const bad: readonly (readonly [unknown, RegExp])[] = [
    [{ ...good, v: 2 }, /version 2.*upgrade/],
    [{ ...good, v: undefined }, /as v/],
    [{ ...good, name: 'H1' }, /name/],
    [{ ...good, name: '../h1' }, /name/],
    [{ ...good, seed: `${secret}A` }, /seed/],
    [{ ...good, seed: [secret] }, /seed/],
    [{ ...good, more: secret }, /no field "more"/],
    [{ ...good, fleet: { ...good.fleet, servers: ['a b'] } }, /address of a server/],
    [{ ...good, fleet: { ...good.fleet, coordinator: secret } }, /coordinator/],
    [[good], /an object/],
  ];
  for (const [value, said] of bad) {
    folder.write(fleetFiles.host, JSON.stringify(value));
    assert.throws(
      () => readCredentials.host(folder),
      (error: Error) => said.test(error.message) && !error.message.includes(secret),
      said.source,
    );
  }
  folder.write(fleetFiles.host, `{"seed":"${secret}",`);
  assert.throws(
    () => readCredentials.host(folder),
    (error: Error) => /JSON/.test(error.message) && !error.message.includes('SUA'),
  );
});
