import type { ProcessIdentity } from '../../model/words.ts';
import { crypto } from '../../util/crypto.ts';

/**
 * The prefix of sessions that a server has named after a client program and a folder. Many machines can have the same
 * name.
 */
const madeUp = 'mcp:';

/** The longest name of a session, in characters. */
const mostCharacters = 1_024;

/**
 * The session of a client in the fleet has the same name as on this machine. A name after a program and a folder gets a
 * hash of the machine and the user: on another machine, the same program in the same folder is not the same agent.
 */
export function fleetSessionOf(sessionId: string, client: ProcessIdentity): string {
  if (!sessionId.startsWith(madeUp)) return sessionId;
  // The name of a Mac changes with its network. Machines that were made from one image may share an id.
  const host = process.platform === 'darwin' ? null : client.host;
  const place = hashOf(JSON.stringify([client.machine ?? null, host, process.getuid?.() ?? null]));
  const id = `${sessionId}@${place.slice(0, 12)}`;
  return id.length <= mostCharacters ? id : `${madeUp}${hashOf(id)}`;
}

function hashOf(text: string): string {
  return crypto().createHash('sha256').update(text).digest('hex');
}
