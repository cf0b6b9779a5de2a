import { OutliveError } from '../../errors/error.ts';
import { type Fields, wireFields } from './fields.ts';
import type { Heartbeat, KnownTail } from './messages.ts';
import { hostForm, wireVersion } from './names.ts';
import { readAttemptName } from './read-assignment.ts';

/** How many attempts a heartbeat names at most, and how many pending ends. */
const mostNamed = 1_000;

/** How many ends of outputs go with it, and how many characters each has. */
const mostTails = 8;
const mostTailCharacters = 8_192;

/**
 * A heartbeat from outside, checked.
 * @param own the version of outlive here, for the message to a host that has another protocol.
 * @throws OutliveError `FLEET_FORGED` for what is none; `FLEET_PACKAGES` for one of another version of the wire.
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

/** Of another protocol nothing is sure but its number: what else is in there is shown where it is a text. */
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
