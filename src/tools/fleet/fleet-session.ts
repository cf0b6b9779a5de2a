import type { ProcessIdentity } from '../../model/words.ts';
import { crypto } from '../../util/crypto.ts';

/** Sessions that a server has made up for a client program and a folder. Such names are the same on many machines. */
const madeUp = 'mcp:';

/** The longest name of a session, in characters. */
const mostCharacters = 1_024;

/**
 * The session of a client in the fleet: that of this machine. One that was made up for a program and a folder gets a mark of
 * the machine and the user: another machine may have the same program in the same folder, and it is not the same agent.
 */
export function fleetSessionOf(sessionId: string, client: ProcessIdentity): string {
  if (!sessionId.startsWith(madeUp)) return sessionId;
  // Names of Macs change with their networks. Machines that were made from one image may share an id.
  const host = process.platform === 'darwin' ? null : client.host;
  const place = hashOf(JSON.stringify([client.machine ?? null, host, process.getuid?.() ?? null]));
  const id = `${sessionId}@${place.slice(0, 12)}`;
  return id.length <= mostCharacters ? id : `${madeUp}${hashOf(id)}`;
}

function hashOf(text: string): string {
  return crypto().createHash('sha256').update(text).digest('hex');
}
