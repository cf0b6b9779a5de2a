import { connect } from 'node:net';

/** A connection to this machine is there at once, or not at all. */
const connectMs = 250;

/** The address of this machine at which somebody takes TCP connections to a port; null when nobody does. */
export async function acceptingAddress(port: number): Promise<string | null> {
  for (const address of ['127.0.0.1', '::1']) if (await accepts(address, port)) return address;
  return null;
}

/** Whether a name or an IP address is one of this machine alone, which others cannot reach. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: connectMs });
    const done = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => done(true));
    socket.once('error', () => done(false));
    socket.once('timeout', () => done(false));
  });
}
