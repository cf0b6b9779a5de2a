import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type InvitationLine,
  invitationText,
  parseInvitation,
  signerOfInvitation,
} from '../../../src/fleet/admin/invitation.ts';
import { ownName } from '../../../src/fleet/admin/join.ts';
import { addressText, parseAddress } from '../../../src/fleet/bus/address.ts';
import { isHostName } from '../../../src/fleet/wire/names.ts';

const line: InvitationLine = {
  kind: 'host',
  server: parseAddress('box.example:4222'),
  pin: 'p'.repeat(43),
  coordinator: 'c'.repeat(43),
  seed: `SU${'A'.repeat(56)}`,
  token: 'a.b.c',
};

test('a line is read as it was written', () => {
  for (const one of [
    line,
    { ...line, kind: 'client' as const },
    { ...line, server: parseAddress('127.0.0.1:4333'), pin: null },
    { ...line, server: parseAddress('tls://127.0.0.1:4333') },
    { ...line, server: parseAddress('[fd00::1]:4222') },
  ])
    assert.deepEqual(parseInvitation(` ${invitationText(one)}\n`), one);
  assert.match(invitationText(line), /^outlive\+tls:\/\/box\.example:4222\/#v=1&kind=host&/);
});

test('an invalid invitation is refused, without repeating its secret', () => {
  const text = invitationText(line);
  const plain = text.replace('outlive+tls', 'outlive+plain').replace(/&pin=p+/, '');
  const bad = [
    ...['', 'x', 'outlive+tls://box/', text.replace('outlive+tls', 'https'), text.slice(0, -1), `${text}x y`],
    ...[
      text.replace('v=1', 'v=2'),
      text.replace('kind=host', 'kind=root'),
      `${text}&more=1`,
      `${text}&seed=x`,
    ],
    ...[text.replace(/&pin=p+/, ''), text.replace('SUA', 'SAA'), text.replace('box.example', 'a/b'), plain],
    text.replace(':4222', ':99999'),
  ];
  for (const one of bad)
    assert.throws(
      () => parseInvitation(one),
      (error: Error & { code: string }) =>
        error.code === 'INVALID_ARGUMENT' && !error.message.includes('AAAAAA'),
      one,
    );
});

test('the signing key differs from the key of the connection, and is always the same', () => {
  assert.equal(signerOfInvitation(line.seed).publicKey, signerOfInvitation(line.seed).publicKey);
  assert.notEqual(
    signerOfInvitation(line.seed).publicKey,
    signerOfInvitation(`SU${'B'.repeat(56)}`).publicKey,
  );
});

test('an address has a port, and may be unencrypted only on loopback', () => {
  const cases = {
    box: ['box:4222', false],
    'box:1': ['box:1', false],
    '127.0.0.1:4222': ['127.0.0.1:4222', true],
    'localhost:4222': ['localhost:4222', true],
    '[::1]': ['[::1]:4222', true],
    'tls://127.0.0.1': ['tls://127.0.0.1:4222', false],
    'tls://box': ['box:4222', false],
  } as const;
  for (const [text, [shown, isPlain]] of Object.entries(cases)) {
    assert.equal(addressText(parseAddress(text)), shown);
    assert.equal(parseAddress(text).isPlain, isPlain, text);
  }
  for (const text of ['', ':4222', 'a b', 'a:0', 'a:65536', 'nats://a', 'a/b', '::1', 'a,b', 'user@a'])
    assert.throws(() => parseAddress(text), { code: 'INVALID_ARGUMENT' }, text);
});

test('the name of a machine is turned into a valid host name', () => {
  const names = {
    'build-7': 'build-7',
    'Box.example.org': 'box',
    my_box: 'my-box',
    '-a-': 'a',
    été: 't',
    '': 'host',
    ['x'.repeat(80)]: 'x'.repeat(63),
    [`${'x'.repeat(62)}-y`]: 'x'.repeat(62),
  };
  for (const [machine, name] of Object.entries(names)) {
    assert.equal(ownName(machine), name);
    assert.ok(isHostName(name));
  }
});
