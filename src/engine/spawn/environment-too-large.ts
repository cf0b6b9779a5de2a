import { OutliveError, shown } from '../../errors/error.ts';
import { isRequestVariable } from '../../shim/request.ts';

/** Bytes of one variable that Linux hands on where a page of memory has 4 KiB: 32 pages. */
const mostVariableBytes = 128 * 1024;

/**
 * The system does not take an environment of that size (E2BIG).
 * @param environment as it was handed over: the request to the shim is in it.
 */
export function environmentTooLarge(environment: NodeJS.ProcessEnv, cause: Error): OutliveError {
  const sizes = Object.entries(environment)
    .map(([name, value = '']) => ({ name, bytes: Buffer.byteLength(`${name}=${value}`) + 1 }))
    .filter(({ name }) => !isRequestVariable(name))
    .sort((a, b) => b.bytes - a.bytes);
  const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
  const { name, bytes } = sizes[0] ?? { name: '', bytes: 0 };
  const isOne = bytes > mostVariableBytes && process.platform === 'linux';
  return new OutliveError(
    'INVALID_ENV',
    isOne
      ? `expected each environment variable to have at most ${mostVariableBytes} bytes, name and value, which is what Linux hands to a program; found ${bytes} in ${shown(name)}. Put the value into a file, or remove the variable by the option env.`
      : `expected an environment that the system hands to a program, where all variables together may take a quarter of the limit on the stack (ulimit -s); found ${total} bytes, of which ${shown(name)} has ${bytes}. Remove variables by the option env, or raise the limit.`,
    { cause, details: { variable: name, bytes } },
  );
}
