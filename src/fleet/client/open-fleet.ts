import { OutliveError } from '../../errors/error.ts';
import { readCredentials } from '../admin/credentials.ts';
import { defaultFleetFolder, FleetFolder } from '../admin/folder.ts';
import { connectClient } from '../admin/invite.ts';
import { renewClient } from '../admin/renew.ts';
import { Fleet } from './fleet.ts';

/** Which fleet to open. */
export interface OpenFleetOptions {
  /** The folder with the credentials, absolute. @default `$XDG_CONFIG_HOME/outlive/fleet`, else ~/.config/outlive/fleet */
  readonly folder?: string;
}

/**
 * Connects to the fleet that this machine is a client of. Close it with `await using`, or by its `Symbol.asyncDispose`.
 * @throws OutliveError `FLEET_CREDENTIALS` if this machine is not a client of a fleet, `FLEET_PACKAGES` if its packages
 * are not installed, `FLEET_UNREACHABLE`, `FLEET_REFUSED`; `UNSUPPORTED_PLATFORM` on Windows.
 */
export async function openFleet({ folder = defaultFleetFolder() }: OpenFleetOptions = {}): Promise<Fleet> {
  if (process.platform === 'win32')
    throw new OutliveError(
      'UNSUPPORTED_PLATFORM',
      'expected Linux or macOS for a fleet; found Windows. Use it from a machine with Linux.',
    );
  const own = FleetFolder.open(folder);
  const credentials = readCredentials.client(own);
  if (credentials === null) {
    const host = readCredentials.host(own);
    const found = host === null ? '' : `, only those of the host ${host.name}, on which others start tasks`;
    throw new OutliveError(
      'FLEET_CREDENTIALS',
      `expected a client of a fleet; found no credentials of one in ${folder}${found}. An admin invites a client with: outlive fleet invite --role agent. Use that here: outlive fleet join 'outlive+...'`,
      { details: { path: folder } } as never,
    );
  }
  const link = await connectClient(credentials);
  return new Fleet(link, await renewClient(own, link, credentials));
}
