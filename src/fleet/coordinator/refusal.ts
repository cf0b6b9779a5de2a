import { type ErrorCode, errorCodes, OutliveError } from '../../errors/error.ts';

/** The most of a host's words that are handed on. */
const mostCharacters = 1_000;

/** Hands the refusal that a host has answered with on to the client. @throws OutliveError that one, if the answer is one. */
export function throwRefusal(answer: unknown): void {
  if (typeof answer !== 'object' || answer === null)
    throw new OutliveError('FLEET_FORGED', 'expected an answer from a host; found something else.');
  const { code, message } = answer as { readonly code?: unknown; readonly message?: unknown };
  if (typeof code !== 'string') return;
  const known = Object.hasOwn(errorCodes, code) ? (code as ErrorCode) : 'FLEET_REFUSED';
  throw new OutliveError(known, String(message).slice(0, mostCharacters), { details: {} } as never);
}
