import { OutliveError } from '../../errors/error.ts';
import { visible } from '../../util/visible.ts';
import type { Address } from './address.ts';
import { protocol } from './request.ts';
import { noProgramStatus } from './ssh.ts';

/** How a call ended that got no exit status of the verb. */
export interface Failed {
  readonly address: Address;
  /** The exit status of ssh; null: a signal ended it. */
  readonly status: number | null;
  /** What came on stderr before the program there answered. */
  readonly said: string;
  /** The program there has answered. */
  readonly begun: boolean;
  readonly verb: string;
}

/** ssh ends with it when ssh itself fails. */
const sshFailed = 255;

const changed = /REMOTE HOST IDENTIFICATION HAS CHANGED|Offending .* key in/i;
const unknown =
  /Host key verification failed|No \S+ host key is known|authenticity of host .* can't be established/i;

/**
 * What ssh says when it got no shell there. Of anything else nobody knows whether the request had arrived: it goes in one way
 * with the connection.
 */
const neverThere =
  /^(?:ssh: |kex_|command-line|.*Permission denied \(|.*Connection (?:refused|timed out)|Connection (?:closed|reset) by .* port |.*(?:banner exchange|Bad configuration|Too many authentication failures|[Nn]o matching|option requires|illegal option|[Nn]ot found))/m;

/** The message for it. */
export function failure(failed: Failed): OutliveError {
  const { address, status, said, begun, verb } = failed;
  const host = address.shown;
  if (begun) return lost(address, verb);
  const details = { details: { host } };
  if (changed.test(said))
    return new OutliveError(
      'HOST_KEY',
      `expected the key of ${host} that ssh knows; found another one. Somebody may intercept the connection, or the machine was set up again. Compare the fingerprint with the machine’s own; if they match, remove the old key: ssh-keygen -R '${knownName(address)}'. Nothing was done there`,
      details,
    );
  if (unknown.test(said))
    return new OutliveError(
      'HOST_KEY',
      `expected the key of ${host} among those that ssh knows; found none. Connect once at a terminal, compare the fingerprint, and answer yes: ${sshLine(address)}. Nothing was done there`,
      details,
    );
  if (status === noProgramStatus)
    return new OutliveError(
      'HOST_PROGRAM',
      `expected outlive on ${host}; found no program ${address.program ?? 'of that name in its PATH'}. Install it there, or name its path: ssh://${bare(address)}/path/to/outlive`,
      details,
    );
  if ((status === sshFailed || status === null) && !neverThere.test(said)) return lost(address, verb);
  if (status === sshFailed || status === null)
    return new OutliveError(
      'HOST_UNREACHABLE',
      `expected to reach ${host}; found: ${lastOf(said)}. Try: ${sshLine(address)}. Nothing was done there`,
      details,
    );
  return new OutliveError(
    'HOST_PROGRAM',
    `expected an outlive on ${host} that takes calls from other machines; found one that does not, or one that cannot run (status ${status}: ${lastOf(said)}). Install this version there. Nothing was done there`,
    details,
  );
}

/** The program there talks in another way. */
export function otherProtocol(address: Address, version: string, theirs: number): OutliveError {
  const older = theirs < protocol ? `on ${address.shown}` : 'here';
  return new OutliveError(
    'HOST_PROGRAM',
    `expected an outlive on ${address.shown} that speaks protocol ${protocol}, as this one does; found ${visible(version).slice(0, 40)}, which speaks ${theirs}. Install the newer version ${older}. Nothing was done there`,
    { details: { host: address.shown } },
  );
}

function lost(address: Address, verb: string): OutliveError {
  const doubt = ['run', 'restart', 'send', 'kill', 'prune'].includes(verb)
    ? `It is not known whether ${verb} was done`
    : 'Tasks continue there';
  return new OutliveError(
    'CONNECTION_LOST',
    `expected an answer from ${address.shown}; found that the connection broke. ${doubt}. Check with: outlive --host ${address.url} ps -a`,
    { details: { host: address.shown } },
  );
}

function bare({ user, host, port }: Address): string {
  const name = host.includes(':') ? `[${host}]` : host;
  return `${user === null ? '' : `${user}@`}${name}${port === null ? '' : `:${port}`}`;
}

function sshLine({ user, host, port }: Address): string {
  const name = user === null ? host : `${user}@${host}`;
  return `ssh ${port === null ? '' : `-p ${port} `}'${name}'`;
}

function knownName({ host, port }: Address): string {
  return port === null || port === 22 ? host : `[${host}]:${port}`;
}

/** The last line that says something, on one line and not too long. */
function lastOf(said: string): string {
  const lines = said
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
  return visible((lines.at(-1) ?? 'no message from ssh').slice(0, 300));
}
