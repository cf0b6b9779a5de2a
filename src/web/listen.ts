import type { Server } from 'node:http';
import { isSystemError } from '../errors/error.ts';

/**
 * Makes a server listen.
 * @returns the port: for 0, the one that the system has chosen.
 * @throws the error of the system, whose message names its code.
 */
export async function listen(server: Server, port: number, host: string): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    const refused = (error: Error): void => reject(withCode(error, `${host}:${port}`));
    server.once('error', refused);
    server.listen(port, host, () => {
      server.off('error', refused);
      resolve();
    });
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}

/** Bun has its own message for the error of a port in use. It has the code only in a property, not in the message. */
function withCode(error: NodeJS.ErrnoException, address: string): Error {
  if (isSystemError(error) && !error.message.includes(`${error.code}`))
    error.message = `${error.syscall} ${error.code}: ${address}: ${error.message}`;
  return error;
}
