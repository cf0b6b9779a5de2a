import { OutliveError } from '../../errors/error.ts';
import type { Assignment, RemoteSpec } from './assignment.ts';
import { canonical, isSignature, type SigningKey } from './signed.ts';

/** The largest command, in bytes. */
const mostCommandBytes = 64 * 1024;
/**
 * The largest specification, in bytes of JSON. With all other fields and the end it must fit into a message of 128 KiB.
 */
const mostSpecBytes = 96 * 1024;

/** Refuses a specification that is too large to assign. @throws OutliveError `INVALID_ARGUMENT`. */
export function checkSize(spec: RemoteSpec): void {
  const { command } = spec;
  bound('a command', typeof command === 'string' ? command : command.join(' '), mostCommandBytes);
  bound('a specification of a task', JSON.stringify(spec), mostSpecBytes);
}

/**
 * Adds the coordinator's signature over the fields that nobody may change: what runs, where, for which client, and how
 * often.
 */
export function warranted(assignment: Assignment, key: SigningKey): Assignment {
  const signature = key.sign(Buffer.from(warrantText(assignment)));
  return { ...assignment, warrant: Buffer.from(signature).toString('base64url') };
}

/** Whether the coordinator with that public key assigned exactly this attempt to exactly this host. */
export function isWarranted(assignment: Assignment, publicKey: string): boolean {
  const { warrant } = assignment;
  return warrant !== undefined && isSignature(warrantText(assignment), warrant, publicKey);
}

function warrantText(assignment: Assignment): string {
  const { v, host, task, attempt, era, spec, placement, request, client, startBy, redispatch } = assignment;
  // A host may cut the rest of the specification, so that an end fits into its message.
  const { command, session } = spec;
  const named = { v, host, task, attempt, era };
  const fixed = { ...named, command, session, placement, request, client, startBy, redispatch };
  return `warrant ${canonical(fixed)}`;
}

function bound(what: string, text: string, most: number): void {
  const found = Buffer.byteLength(text);
  if (found <= most) return;
  throw new OutliveError(
    'INVALID_ARGUMENT',
    `expected ${what} of at most ${most} bytes; found ${found}. Put long input into a file on the host.`,
  );
}
