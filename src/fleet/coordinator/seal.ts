import type { MsgHdrs } from '@nats-io/transport-node';
import { isSignature, type SigningKey } from '../wire/signed.ts';

// A host may publish anything on its own subjects, so the name in a message proves nothing. A message of the
// coordinator has a signature over its bytes, its subject and its condition.
const sealHeader = 'Outlive-Seal';
const afterHeader = 'Outlive-After';

/** Puts a coordinator's signature on a message of the stream of assignments. */
export function seal(
  headers: MsgHdrs,
  key: SigningKey,
  subject: string,
  after: number,
  bytes: Uint8Array,
): void {
  const signature = key.sign(Buffer.from(sealedText(subject, after, bytes)));
  headers.set(afterHeader, String(after));
  headers.set(sealHeader, Buffer.from(signature).toString('base64url'));
}

/** The condition under which a coordinator wrote a message; `null`: no coordinator wrote it. */
export function sealedAfter(
  headers: Pick<MsgHdrs, 'get'> | undefined,
  publicKey: string,
  subject: string,
  bytes: Uint8Array,
): number | null {
  const signature = headers?.get(sealHeader) ?? '';
  const after = Number(headers?.get(afterHeader));
  if (signature === '' || !Number.isSafeInteger(after)) return null;
  return isSignature(sealedText(subject, after, bytes), signature, publicKey) ? after : null;
}

function sealedText(subject: string, after: number, bytes: Uint8Array): string {
  return `assignment ${subject} ${after} ${Buffer.from(bytes).toString('utf8')}`;
}
