import { connect, type DetailedPeerCertificate } from 'node:tls';
import { OutliveError } from '../../errors/error.ts';
import { type Address, addressText } from '../bus/address.ts';
import { pinOf } from './certificates.ts';

/** How long a server may take to show its certificate. */
const handshakeMs = 5_000;

/**
 * Asks a server for the certificate of its authority, and compares it with the pin of an invitation. Nothing is sent on
 * this connection. The next connection trusts only that authority.
 * @returns the certificate (PEM).
 * @throws OutliveError `FLEET_FORGED` if the server has another authority; `FLEET_UNREACHABLE` if it does not answer.
 */
export async function pinnedAuthority(server: Address, pin: string): Promise<string> {
  const shownThere = await certificatesOf(server);
  const found = shownThere.find((raw) => pinOf(raw) === pin);
  if (found !== undefined) return pem(found);
  throw new OutliveError(
    'FLEET_FORGED',
    `expected the server at ${addressText(server)} to have the authority that the invitation names; found another authority. Somebody has created the fleet again since, or intercepts the connection. Ask for a new invitation.`,
  );
}

async function certificatesOf(server: Address): Promise<readonly Buffer[]> {
  const { host, port } = server;
  return await new Promise((resolve, reject) => {
    const fail = (found: string, cause?: unknown): void => {
      socket.destroy();
      reject(
        new OutliveError(
          'FLEET_UNREACHABLE',
          `expected a server of the fleet at ${addressText(server)}; found ${found}. Check that outlive fleet server runs there, and that no firewall blocks it.`,
          { cause },
        ),
      );
    };
    // The authority to trust is not known yet: this connection asks for it.
    const socket = connect({ host, port, rejectUnauthorized: false, timeout: handshakeMs });
    socket.once('timeout', () => fail('no answer'));
    socket.once('error', (error) => fail(error.message, error));
    socket.once('secureConnect', () => {
      const shownThere = chain(socket.getPeerCertificate(true));
      socket.destroy();
      resolve(shownThere);
    });
  });
}

/** A certificate, and those that signed it. The last one is signed by itself. */
function chain(first: DetailedPeerCertificate): readonly Buffer[] {
  const found: Buffer[] = [];
  for (
    let at: DetailedPeerCertificate | undefined = first;
    at?.raw !== undefined && !found.some((raw) => raw.equals(at?.raw ?? raw)) && found.length < 8;
    at = at.issuerCertificate
  )
    found.push(at.raw);
  return found;
}

function pem(raw: Buffer): string {
  const lines = raw.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
