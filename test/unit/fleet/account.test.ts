import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Authority } from '../../../src/fleet/bus/jwt.ts';

test('an account that replaces another has a later second, even with a slow clock', async () => {
  const authority = await Authority.load();
  const operator = authority.newKey('operator');
  const claims = { name: 'fleet', publicKey: authority.newKey('account').publicKey, scopes: [], revoked: {} };
  const user = authority.newKey('user').publicKey;
  let token = await authority.signAccount(claims, operator.seed, null);
  const first = secondOf(token);
  for (let later = 1; later <= 3; later += 1) {
    token = await authority.signAccount({ ...claims, revoked: { [user]: later } }, operator.seed, token);
    assert.equal(secondOf(token), first + later);
    // Its signature is right.
    assert.deepEqual(authority.revokedIn(token), { [user]: later });
  }
});

function secondOf(token: string): number {
  const [, claims = ''] = token.split('.');
  return (JSON.parse(Buffer.from(claims, 'base64url').toString()) as { iat: number }).iat;
}
