import { OutliveError } from '../../errors/error.ts';
import type { HostRequest } from '../wire/operations.ts';
import { type HostRecord, newRecord } from './book.ts';
import type { Core } from './core.ts';
import { forgetting } from './decide.ts';
import { lossFactor } from './leases.ts';
import { removeInvented } from './sweep.ts';

/** Stops placing new tasks on a host. With `on: false`, allows it again. */
export async function cordon(core: Core, { host, on }: HostRequest, client: string): Promise<null> {
  return await change(core, host, { cordoned: on }, on ? 'cordon' : 'uncordon', client);
}

/** Cordons a host, and moves its waiting tasks to other hosts where possible. `on: false` undoes this. */
export async function drain(core: Core, { host, on }: HostRequest, client: string): Promise<null> {
  return await change(core, host, { cordoned: on, draining: on }, on ? 'drain' : 'undrain', client);
}

/** Gives a host no more leases, so it counts as lost after its last one. This does not revoke its credential. */
export async function remove(core: Core, { host }: HostRequest, client: string): Promise<null> {
  return await change(core, host, { cordoned: true, removed: true }, 'remove', client);
}

/**
 * Gives up a lost host, and revokes its tasks that have not ended, so that nobody keeps waiting for them.
 * @throws OutliveError `FLEET_HOST` if the host is not lost.
 */
export async function forget(core: Core, { host }: HostRequest, client: string): Promise<null> {
  known(core, host);
  if (!core.leases.isLost(host, performance.now())) throw notLost(core, host);
  for (const held of core.ledger.openOn(host)) {
    const decision = forgetting(held, Date.now());
    if (decision !== null) await core.write(decision, client);
  }
  core.audit.tell({ host, what: 'forget', client });
  await core.book.change(host, () => null);
  core.leases.forget(host);
  core.refused.delete(host);
  core.flooding.delete(host);
  core.floods.forget(host);
  // The host may have written thousands of messages, so nobody waits for their removal.
  void removeInvented(core.bus, core.ledger, host);
  return null;
}

/** The host may still start the tasks that it has, until its lease expires. */
function notLost(core: Core, host: string): OutliveError {
  const what =
    core.book.get(host)?.removed === true
      ? `${host} is removed, but may still have its last lease. Ask again in ${Math.ceil((core.leases.leaseMs * lossFactor) / 1_000)} s`
      : `${host} reported a short time ago. Remove it first, or wait until it is lost`;
  return new OutliveError('FLEET_HOST', `expected a host that is lost; found that ${what}.`, {
    details: { host },
  });
}

async function change(
  core: Core,
  host: string,
  flags: Partial<HostRecord>,
  what: string,
  client: string,
): Promise<null> {
  known(core, host);
  await core.book.change(host, (record) => ({ ...(record ?? newRecord(host)), ...flags }));
  core.audit.tell({ host, what, client });
  return null;
}

function known(core: Core, host: string): void {
  if (core.book.get(host) !== undefined || core.leases.get(host) !== undefined) return;
  throw new OutliveError(
    'FLEET_HOST',
    `expected a host of the fleet; found none with the name ${host}. See: outlive fleet hosts`,
    { details: { host } },
  );
}
