import { OutliveError } from '../../errors/error.ts';
import { wireFields } from './fields.ts';
import type { Heartbeat } from './messages.ts';
import { hostForm, wireVersion } from './names.ts';
import { readAttemptName } from './read-assignment.ts';

/** How many attempts a heartbeat names at most, and how many owed ends. */
const mostNamed = 1_000;

/**
 * A heartbeat from outside, checked.
 * @throws OutliveError `FLEET_FORGED` for what is none; `FLEET_PACKAGES` for one of another version of the wire.
 */
export function readHeartbeat(value: unknown): Heartbeat {
  const fields = wireFields(value, 'a heartbeat');
  const v = fields.whole('v');
  if (v !== wireVersion)
    throw new OutliveError(
      'FLEET_PACKAGES',
      `expected a heartbeat of version ${wireVersion}; found version ${v}. Install the same outlive on the host and on the coordinator.`,
    );
  return {
    v,
    host: fields.formed('host', hostForm),
    version: fields.text('version', 100),
    epoch: fields.text('epoch', 64),
    labels: fields.record('labels', 100, 200),
    slots: fields.whole('slots', { most: 100_000 }),
    holds: fields.list('holds', mostNamed, readAttemptName),
    owes: fields.has('owes') ? fields.list('owes', mostNamed, readAttemptName) : [],
  };
}
