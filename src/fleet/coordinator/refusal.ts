import { type ErrorCode, errorCodes, OutliveError } from '../../errors/error.ts';

/** The most characters of a host's message that are passed on. */
const mostCharacters = 1_000;

/** Passes a host's refusal on to the client. @throws OutliveError the refusal, if the answer is one. */
export function throwRefusal(answer: unknown): void {
  if (typeof answer !== 'object' || answer === null)
    throw new OutliveError('FLEET_FORGED', 'expected an answer from a host; found something else.');
  const { code, message } = answer as { readonly code?: unknown; readonly message?: unknown };
  if (typeof code !== 'string') return;
  const known = Object.hasOwn(errorCodes, code) ? (code as ErrorCode) : 'FLEET_REFUSED';
  throw new OutliveError(known, String(message).slice(0, mostCharacters), { details: {} } as never);
}
