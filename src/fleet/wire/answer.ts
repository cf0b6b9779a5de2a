import { type ErrorCode, errorCodes, OutliveError } from '../../errors/error.ts';
import { wireFields } from './fields.ts';
import type { Refusal } from './messages.ts';
import { wireVersion } from './names.ts';
import { open, SeenNonces, type SigningKey, sign } from './signed.ts';

const what = 'an answer of the coordinator';

/** The longest message of a refusal, in characters. */
const mostMessage = 64 * 1_024;

/** Who gets an answer, and which request it answers. */
export interface AnswerTo {
  /** The receiver, as a signed message names it. */
  readonly audience: string;
  /** The subject of the request. */
  readonly subject: string;
}

/** The bytes of an answer that carries the requested value. */
export function answer(value: object, key: SigningKey, to: AnswerTo): Uint8Array {
  return sign({ v: wireVersion, value }, key, to);
}

/** The bytes of an answer that refuses the request and says why. */
export function refuse({ code, message }: OutliveError, key: SigningKey, to: AnswerTo): Uint8Array {
  const refusal: Refusal = { v: wireVersion, code, message };
  return sign({ v: wireVersion, refusal }, key, to);
}

/**
 * The requested value, and the era: when the servers created the stream of assignments. `null`: the answer names no
 * era.
 */
export interface Said {
  readonly value: unknown;
  readonly era: string | null;
}

/**
 * Reads an answer.
 * @param issuer the public key of the coordinator.
 * @param now the time against which the age of the answer is checked, in epoch milliseconds. A host passes the time at
 *   which the answer was made: only this request had that inbox, and the clock of a host may be wrong by hours.
 * @throws OutliveError the coordinator's refusal; `FLEET_FORGED` if the bytes are not an answer to this request.
 */
export function readAnswer(bytes: Uint8Array, issuer: string, to: AnswerTo, now: number = Date.now()): Said {
  const { body } = open(bytes, {
    ...to,
    issuers: new Set([issuer]),
    // Each request has its own inbox, so there are no earlier nonces to compare with.
    seen: new SeenNonces(),
    now,
  });
  const fields = wireFields(body, what).versioned();
  const era = fields.has('era') ? fields.text('era') : null;
  if (!fields.has('refusal')) return { value: fields.raw('value'), era };
  const refusal = fields.inner('refusal');
  const code = refusal.text('code');
  const message = refusal.text('message', mostMessage);
  if (!Object.hasOwn(errorCodes, code))
    throw new OutliveError('FLEET_FORGED', `expected a known error code; found an unknown one, in ${what}.`);
  throw new OutliveError(code as ErrorCode, message, { details: {} } as never);
}
