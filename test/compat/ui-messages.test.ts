import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { decodeProof, encodeProof } from '../../src/ui/handshake.ts';
import { isProven, keyOf, passFor, proofFor } from '../../src/ui/page/proof.ts';
import {
  decodeBytes,
  decodePageMessage,
  decodeServerMessage,
  encodeBytes,
  encodePageMessage,
  encodeServerMessage,
  protocolVersion,
} from '../../src/ui/protocol.ts';
import { root } from '../support/repository.ts';

// What a page and the server of the dashboard say, each kind once. Another meaning is another version, with a sample of its own.

const lines = readFileSync(join(root, `test/compat/ui/messages-${protocolVersion}.sample`), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)] as const);

test('every message of a page keeps its meaning', () => {
  const messages = lines.filter(([who]) => who === 'page');
  assert.ok(messages.length > 15);
  for (const [, text] of messages) {
    const message = decodePageMessage(text);
    assert.ok(message, text);
    assert.deepEqual(JSON.parse(encodePageMessage(message)), JSON.parse(text));
  }
});

test('every message of the server is written as before', () => {
  for (const [who, text] of lines)
    if (who === 'server') assert.equal(encodeServerMessage(decodeServerMessage(text)), text);
});

test('the bytes of a terminal begin with the number of their channel', () => {
  const [, hex = ''] = lines.find(([who]) => who === 'bytes') ?? [];
  const message = Uint8Array.from(Buffer.from(hex, 'hex'));
  const { id, bytes } = decodeBytes(message.buffer);
  assert.deepEqual([id, Buffer.from(bytes).toString()], [7, '\r\n\x1b[A']);
  assert.deepEqual(encodeBytes(id, bytes), message);
});

test('proofs, and passes for a run of the server, are made as before', () => {
  const sample = readFileSync(join(root, `test/compat/ui/handshake-${protocolVersion}.sample`), 'utf8');
  for (const line of sample.trimEnd().split('\n')) {
    const [token = '', host = '', pageNonce = '', challenge = '', proof = '', pass = ''] = line.split(' ');
    const said = JSON.parse(challenge);
    const [key, meeting] = [keyOf(token), { host, pageNonce, nonce: said.nonce }];
    assert.equal(isProven(key, meeting, said), true, token);
    assert.equal(proofFor(key, meeting), proof, token);
    assert.equal(passFor(key, said.run), pass, token);
    const decoded = decodeProof(proof);
    assert.ok(decoded);
    assert.equal(encodeProof(decoded), proof);
  }
  assert.equal(decodeProof(`token.${'x'.repeat(43)}`), null);
});
