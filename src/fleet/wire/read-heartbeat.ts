import { OutliveError } from '../../errors/error.ts';
import { type Fields, wireFields } from './fields.ts';
import type { Heartbeat, KnownTail } from './messages.ts';
import { hostForm, wireVersion } from './names.ts';
import { readAttemptName } from './read-assignment.ts';

/** The most attempts that a heartbeat names, and the most pending ends. */
const mostNamed = 1_000;

/** The most outputs in a heartbeat, and the most characters of each. */
const mostTails = 8;
const mostTailCharacters = 8_192;

/**
 * Reads and checks a heartbeat that came from outside.
 * @param own the version of outlive here, for the error about a host with another protocol.
 * @throws OutliveError `FLEET_FORGED` if it is not a heartbeat; `FLEET_PACKAGES` for another version of the protocol.
 */
export function readHeartbeat(value: unknown, own = ''): Heartbeat {
  const fields = wireFields(value, 'a heartbeat');
  const v = fields.whole('v');
  if (v !== wireVersion) throw otherVersion(fields, v, own);
  return {
    v,
    host: fields.formed('host', hostForm),
    version: fields.text('version', 100),
    epoch: fields.text('epoch', 64),
    labels: fields.record('labels', 100, 200),
    slots: fields.whole('slots', { most: 100_000 }),
    holds: fields.list('holds', mostNamed, readAttemptName),
    owes: fields.has('owes') ? fields.list('owes', mostNamed, readAttemptName) : [],
    ...(fields.has('beat') && { beat: fields.whole('beat') }),
    ...(fields.has('tails') && { tails: fields.list('tails', mostTails, readTail) }),
    ...(fields.has('era') && { era: fields.text('era', 64) }),
  };
}

function readTail(value: unknown): KnownTail {
  const fields = wireFields(value, 'the end of an output');
  const tail = fields.text('tail', mostTailCharacters);
  return { ...readAttemptName(value), outputBytes: fields.whole('outputBytes'), tail };
}

/** In another version of the protocol other fields may have changed. The error shows them only if they are texts. */
function otherVersion(fields: Fields, v: number, own: string): OutliveError {
  const said = (name: string, most: number): string => {
    const value = fields.raw(name);
    return typeof value === 'string' ? value.slice(0, most) : '';
  };
  const host = said('host', 63) || 'the host';
  const older = v < wireVersion ? `on ${host}, and start its agent again` : 'where the coordinator runs';
  return new OutliveError(
    'FLEET_PACKAGES',
    `expected a heartbeat of version ${wireVersion}; found version ${v}, of outlive ${said('version', 100) || '?'} on ${host}; the coordinator has outlive ${own || '?'}. Upgrade outlive ${older}. The tasks on ${host} keep running.`,
  );
}
