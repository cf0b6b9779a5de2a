import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Msg } from '@nats-io/transport-node';
import { mostPayloadBytes } from '../../../src/fleet/admin/permissions.ts';
import type { Core } from '../../../src/fleet/coordinator/core.ts';
import { Operations } from '../../../src/fleet/coordinator/operations.ts';
import { readAnswer } from '../../../src/fleet/wire/answer.ts';
import { signingKey } from '../../../src/fleet/wire/signed.ts';

const key = signingKey(Buffer.alloc(32, 7));
const subject = 'op.list';

/** What a coordinator that knows no client answers, over servers that refuse what is too large, as the client of NATS does. */
async function answerTo(data: Uint8Array): Promise<Uint8Array> {
  const core = {
    ...{ key, journal: { era: 'era' } },
    bus: { connection: { isClosed: () => false, isDraining: () => false } },
  };
  const operations = new Operations(core as unknown as Core, () => null, {});
  let answered: Uint8Array = Buffer.alloc(0);
  const respond = (bytes: Uint8Array): boolean => {
    if (bytes.length > mostPayloadBytes) throw new Error('max_payload size exceeded');
    answered = bytes;
    return true;
  };
  await operations.answer({ ...{ subject, data, respond }, reply: '_INBOX.U.one' } as unknown as Msg);
  return answered;
}

test('a signer as long as a whole message gets an answer that the servers accept', async () => {
  const message = (iss: string): string =>
    `.${JSON.stringify({ claims: { aud: '', exp: 0, iat: 0, iss, nonce: '', sub: '', v: 1 } })}`;
  const longest = 'x'.repeat(mostPayloadBytes - message('').length);
  const answer = await answerTo(Buffer.from(message(longest)));
  assert.throws(() => readAnswer(answer, key.publicKey, { audience: 'nobody', subject }), {
    code: 'FLEET_FORGED',
    message: /expected a signed message; found something else/,
  });
});
