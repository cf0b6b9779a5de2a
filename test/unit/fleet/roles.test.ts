import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkRole } from '../../../src/fleet/admin/roles.ts';
import { roles } from '../../../src/fleet/wire/membership.ts';
import { type Operation, operations } from '../../../src/fleet/wire/names.ts';

/** What each role may that the one before it may not. */
const more: Readonly<Record<string, readonly Operation[]>> = {
  viewer: ['list', 'show', 'inspect', 'read', 'wait', 'hosts', 'follow', 'screen', 'renew'],
  agent: ['run', 'send', 'resize', 'view', 'kill', 'completions', 'acknowledge'],
  admin: ['cordon', 'drain', 'remove', 'forget', 'invite'],
};

test('each role may do what the lower one may, and no role may use an invitation', () => {
  const may = new Set<Operation>();
  for (const role of roles) {
    for (const operation of more[role] ?? []) may.add(operation);
    for (const operation of operations) {
      if (may.has(operation)) checkRole(role, operation);
      else
        assert.throws(() => checkRole(role, operation), { code: 'FLEET_REFUSED', message: new RegExp(role) });
    }
  }
  // Who asks does not know the names of operations.
  assert.throws(() => checkRole('viewer', 'view'), {
    message: /a client that may attach, .* the role viewer/,
  });
  assert.deepEqual(
    operations.filter((operation) => !may.has(operation)),
    ['enrol'],
  );
});
