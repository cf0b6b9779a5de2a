import { RequestError } from '@agentclientprotocol/sdk';
import { type ErrorCode, OutliveError } from '../errors/error.ts';

/** What the protocol says for a resource that is not there, for refused parameters, and for the rest. */
const resourceNotFound = -32002;
const invalidParams = -32602;
const internalError = -32603;

const refusals: ReadonlySet<ErrorCode> = new Set([
  'INVALID_ARGUMENT',
  'INVALID_COMMAND',
  'INVALID_CWD',
  'INVALID_ENV',
  'SHELL_NOT_FOUND',
]);

/** Does something, and turns our errors into those of the protocol, with our code as `data.code`. */
export async function withRequestErrors<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof OutliveError)) throw error;
    throw new RequestError(codeOf(error), error.message, { code: error.code });
  }
}

function codeOf({ code }: OutliveError): number {
  if (code === 'TASK_NOT_FOUND') return resourceNotFound;
  return refusals.has(code) ? invalidParams : internalError;
}
