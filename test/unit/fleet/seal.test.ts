import assert from 'node:assert/strict';
import { test } from 'node:test';
import { headers } from '@nats-io/transport-node';
import { seal, sealedAfter } from '../../../src/fleet/coordinator/seal.ts';
import { signingKey } from '../../../src/fleet/wire/signed.ts';
import { isWarranted, warranted } from '../../../src/fleet/wire/warrant.ts';
import { endedBy } from '../../support/fleet/host.ts';
import { anAssignment } from '../../support/fleet/samples.ts';

const key = signingKey();

test('a sealed message contains the condition under which it was written', () => {
  const bytes = Buffer.from('{"a":1}');
  const own = headers();
  seal(own, key, 'assign.h1.t', 7, bytes);
  const read = (said: { publicKey?: string; subject?: string; text?: string }) =>
    sealedAfter(
      own,
      said.publicKey ?? key.publicKey,
      said.subject ?? 'assign.h1.t',
      said.text === undefined ? bytes : Buffer.from(said.text),
    );
  assert.equal(read({}), 7);
  assert.equal(read({ publicKey: signingKey().publicKey }), null);
  assert.equal(read({ subject: 'assign.h2.t' }), null);
  assert.equal(read({ text: '{"a":2}' }), null);
  own.set('Outlive-After', '8');
  assert.equal(read({}), null);
});

test('a message without a valid seal is not from a coordinator', () => {
  const none = headers();
  assert.equal(sealedAfter(none, key.publicKey, 's', Buffer.from('x')), null);
  assert.equal(sealedAfter(undefined, key.publicKey, 's', Buffer.from('x')), null);
  none.set('Outlive-Seal', 'AAAA');
  none.set('Outlive-After', 'x');
  assert.equal(sealedAfter(none, key.publicKey, 's', Buffer.from('x')), null);
});

test('a warrant is valid for the attempt, the host and the command that the coordinator signed, in any state', () => {
  const assigned = warranted(anAssignment({ redispatch: 1 }), key);
  assert.equal(isWarranted(assigned, key.publicKey), true);
  assert.equal(isWarranted(endedBy(assigned), key.publicKey), true);
  assert.equal(
    isWarranted({ ...assigned, spec: { ...assigned.spec, env: { A: 'cut' } } }, key.publicKey),
    true,
  );
  assert.equal(isWarranted(assigned, signingKey().publicKey), false);
  const changes = [
    { host: 'h2' },
    { attempt: 2 },
    { redispatch: 2 },
    { client: 'me' },
    { task: 'bgb-00000000000b' },
    { spec: { ...assigned.spec, command: 'rm' } },
    { spec: { ...assigned.spec, session: 'other' } },
  ];
  for (const change of changes)
    assert.equal(isWarranted({ ...assigned, ...change }, key.publicKey), false, JSON.stringify(change));
  assert.equal(isWarranted(anAssignment(), key.publicKey), false);
});
