import { OutliveError, shown } from '../../errors/error.ts';
import { isRequestVariable } from '../../shim/request.ts';

/** Bytes of one variable that Linux passes on if a page of memory has 4 KiB: 32 pages. */
const mostVariableBytes = 128 * 1024;

/**
 * The system does not take an environment of that size (E2BIG).
 * @param environment as it was passed: it contains the request to the shim.
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
      ? `expected each environment variable to have at most ${mostVariableBytes} bytes, name and value, which is what Linux passes to a program; found ${bytes} in ${shown(name)}. Put the value into a file, or remove the variable in the option env.`
      : `expected an environment that the system passes to a program: all variables together may take a quarter of the limit on the stack (ulimit -s); found ${total} bytes, of which ${shown(name)} has ${bytes}. Remove variables in the option env, or raise the limit.`,
    { cause, details: { variable: name, bytes } },
  );
}
