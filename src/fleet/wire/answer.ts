import { type ErrorCode, errorCodes, OutliveError } from '../../errors/error.ts';
import { wireFields } from './fields.ts';
import type { Refusal } from './messages.ts';
import { wireVersion } from './names.ts';
import { open, SeenNonces, type SigningKey, sign } from './signed.ts';

const what = 'an answer of the coordinator';

/** Characters of what a refusal says. */
const mostMessage = 64 * 1_024;

/** To whom an answer goes, and to what. */
export interface AnswerTo {
  /** As in a signed message. */
  readonly audience: string;
  /** The subject of the request. */
  readonly subject: string;
}

/** The bytes of an answer with what was asked for. */
export function answer(value: object, key: SigningKey, to: AnswerTo): Uint8Array {
  return sign({ v: wireVersion, value }, key, to);
}

/** The bytes of an answer that says why nothing was done. */
export function refuse({ code, message }: OutliveError, key: SigningKey, to: AnswerTo): Uint8Array {
  const refusal: Refusal = { v: wireVersion, code, message };
  return sign({ v: wireVersion, refusal }, key, to);
}

/** What was asked for, and when the data of the fleet was made; `null`: what was asked has nothing to do with that. */
export interface Said {
  readonly value: unknown;
  readonly era: string | null;
}

/**
 * What an answer says.
 * @param issuer the public key of the coordinator.
 * @param now epoch milliseconds, by which the answer must be new. A host gives the time of the answer itself: it came to an
 *   inbox that was made for this request, and the clock of a host may be wrong by hours.
 * @throws OutliveError that of the coordinator when it refused; `FLEET_FORGED` for what is no answer to this.
 */
export function readAnswer(bytes: Uint8Array, issuer: string, to: AnswerTo, now: number = Date.now()): Said {
  const { body } = open(bytes, {
    ...to,
    issuers: new Set([issuer]),
    // It came to an inbox that only this request had.
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
    throw new OutliveError('FLEET_FORGED', `expected a known code; found another one, in ${what}.`);
  throw new OutliveError(code as ErrorCode, message, { details: {} } as never);
}
