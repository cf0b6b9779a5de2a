import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  canonical,
  type Expected,
  open,
  SeenNonces,
  sign,
  signingKey,
} from '../../../src/fleet/wire/signed.ts';

const key = signingKey();
const options = { audience: 'host:h1', subject: 'ctl.h1.kill' };
const expected = (change: Partial<Expected> = {}): Expected => ({
  ...options,
  issuers: new Set([key.publicKey]),
  seen: new SeenNonces(),
  now: Date.now(),
  ...change,
});

test('a signed message can be opened only by its audience, and once', () => {
  const bytes = sign({ b: [1, { d: 2, c: 1 }], a: 'é' }, key, options);
  const same = expected();
  assert.deepEqual(open(bytes, same), { body: { a: 'é', b: [1, { c: 1, d: 2 }] }, issuer: key.publicKey });
  assert.throws(() => open(bytes, same), { code: 'FLEET_FORGED', message: /already accepted/ });
});

const wrong: Record<string, [change: Partial<Expected>, said: RegExp]> = {
  'for another host': [{ audience: 'host:h2' }, /another receiver/],
  'for another subject': [{ subject: 'ctl.h1.send' }, /another subject/],
  'of another signer': [{ issuers: new Set([signingKey().publicKey]) }, /signer/],
  'too late': [{ now: Date.now() + 200_000 }, /made \d+ s ago: compare the clocks/],
  'too early': [{ now: Date.now() - 200_000 }, /made \d+ s in the future: compare the clocks/],
};
for (const [what, [change, said]] of Object.entries(wrong)) {
  test(`a message that is ${what} is refused`, () => {
    const bytes = sign({ id: 1 }, key, options);
    assert.throws(() => open(bytes, expected(change)), { code: 'FLEET_FORGED', message: said });
  });
}

test('a message that was changed, is spelt in another way, or is malformed is refused', () => {
  const text = Buffer.from(sign({ id: 1 }, key, options)).toString();
  const changed = [
    text.replace('"id":1', '"id":2'),
    text.replace('{"body"', '{ "body"'),
    text.replace('"id":1', '"id":1,"id":1'),
    text.slice(text.indexOf('.')),
    `A${text}`,
    text.replaceAll(key.publicKey, `${key.publicKey}A`),
    ...['', '.', '.{}', '.null', '.{"claims":{}}', 'x.[]', '\u0000'],
  ];
  for (const one of changed)
    assert.throws(() => open(Buffer.from(one), expected()), { code: 'FLEET_FORGED' }, one.slice(0, 40));
});

test('a message that must be remembered for too long, or needs too much room, is refused', () => {
  const said = { code: 'FLEET_FORGED', message: /valid for too long/ };
  open(sign({ id: 1 }, key, { ...options, ttlMs: 600_000 }), expected());
  for (const ttlMs of [600_001, 1e15])
    assert.throws(() => open(sign({ id: 1 }, key, { ...options, ttlMs }), expected()), said);
  const text = Buffer.from(sign({ id: 1 }, key, options)).toString();
  const { claims, body } = JSON.parse(text.slice(text.indexOf('.') + 1)) as { claims: object; body: object };
  for (const nonce of ['', 'x', 'a'.repeat(33), 'A'.repeat(32), 'a'.repeat(100_000)]) {
    const other = canonical({ claims: { ...claims, nonce }, body });
    const signature = Buffer.from(key.sign(Buffer.from(other))).toString('base64url');
    assert.throws(() => open(Buffer.from(`${signature}.${other}`), expected()), said);
  }
});
