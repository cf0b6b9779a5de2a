import { OutliveError } from '../../errors/error.ts';
import { type Role, roles } from '../wire/membership.ts';
import type { Operation } from '../wire/names.ts';

/**
 * The lowest role that may ask for an operation. A client that may run a command on a host has a shell there, so `send`
 * and `kill` give it no further rights. `null`: no role, because the holder of an invitation asks.
 */
const least: Readonly<Record<Operation, Role | null>> = {
  list: 'viewer',
  show: 'viewer',
  inspect: 'viewer',
  read: 'viewer',
  wait: 'viewer',
  follow: 'viewer',
  screen: 'viewer',
  hosts: 'viewer',
  renew: 'viewer',
  run: 'agent',
  send: 'agent',
  resize: 'agent',
  view: 'agent',
  kill: 'agent',
  completions: 'agent',
  acknowledge: 'agent',
  cordon: 'admin',
  drain: 'admin',
  remove: 'admin',
  forget: 'admin',
  invite: 'admin',
  enrol: null,
};

/** Whether a client of that role may ask for an operation. */
function mayAsk(role: Role, operation: Operation): boolean {
  const needed = least[operation];
  return needed !== null && roles.indexOf(role) >= roles.indexOf(needed);
}

/** @throws OutliveError `FLEET_REFUSED` when that role is not enough. */
export function checkRole(role: Role, operation: Operation): void {
  if (mayAsk(role, operation)) return;
  const verb = operation === 'view' ? 'attach' : operation;
  throw new OutliveError(
    'FLEET_REFUSED',
    `expected a client that may ${verb}, which needs the role ${least[operation] ?? 'of an invitation'}; found one with the role ${role}. Ask an admin of the fleet for an invitation with the role that is needed.`,
  );
}
