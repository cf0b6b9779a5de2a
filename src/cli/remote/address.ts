import { OutliveError, shown } from '../../errors/error.ts';

/** Another machine, as ssh is to reach it. */
export interface Address {
  /** As people read it: `user@host:port/path`, what was given of it. */
  readonly shown: string;
  /** The whole address, as it was given. */
  readonly url: string;
  readonly user: string | null;
  /** A name, an IP address, or a name of the user's ssh configuration. */
  readonly host: string;
  readonly port: number | null;
  /** The program there; null: the remote shell searches for it. */
  readonly program: string | null;
}

/** `ssh://user@host:port/path`; IPv6 stands in brackets. */
const form = /^ssh:\/\/(?:([^@/]*)@)?(\[[^\]@/]*\]|[^@:/[\]]*)(?::([^/]*))?(\/.*)?$/s;

/** What ssh takes for options, shells for their own, and people for something else, is in none of these. */
const userForm = /^[\p{L}\p{N}_][\p{L}\p{N}_.+\\-]*\$?$/u;
const hostForm = /^[\p{L}\p{N}_](?:[\p{L}\p{N}_.-]*[\p{L}\p{N}_])?\.?$/u;
const addressForm = /^\[[0-9a-fA-F:.]*:[0-9a-fA-F:.]*(?:%[\w.-]+)?\]$/;
const pathForm = /^\/[\w.+@%,:=~ /-]*[\w.+@%,:=~-]$/;

/** More are a slip, and each is a process. */
const mostHosts = 64;

/**
 * The machines that were named.
 * @throws OutliveError `USAGE` when one is no address, or stands there twice.
 */
export function addressesOf(given: readonly string[]): Address[] {
  const addresses = given.map((text) => addressOf(text.trim()));
  if (addresses.length > mostHosts)
    throw new OutliveError('USAGE', `expected at most ${mostHosts} machines; found ${addresses.length}`);
  const seen = new Set<string>();
  for (const { url } of addresses) {
    if (seen.has(url)) throw new OutliveError('USAGE', `expected each machine once; found ${url} twice`);
    seen.add(url);
  }
  return addresses;
}

/** @throws OutliveError `USAGE`. */
export function addressOf(text: string): Address {
  const [, user, host = '', port, path] = form.exec(text) ?? [];
  if (!text.startsWith('ssh://')) refuse('an address such as ssh://user@box', shown(text), text);
  if (user?.includes(':')) refuse('no password in the address', 'a colon in the name of the user', null);
  if (user !== undefined && !userForm.test(user))
    refuse('the name of a user before the @', shown(user), null);
  if (!hostForm.test(host) && !addressForm.test(host))
    refuse('the name of a machine, or [an IPv6 address], after ssh://', shown(host), null);
  if (port !== undefined && !isPort(port)) refuse('a port from 1 to 65535', shown(port), null);
  const program = path === undefined || path === '/' ? null : path;
  if (program !== null && (!pathForm.test(program) || program.includes('/../')))
    refuse(
      'the path of outlive on the other machine: letters, digits, blanks and ._+@%,:=~/- alone',
      shown(program),
      null,
    );
  return {
    shown: text.slice('ssh://'.length).replace(/\/$/, ''),
    url: text,
    user: user ?? null,
    host: host.replace(/^\[(.*)\]$/s, '$1'),
    port: port === undefined ? null : Number(port),
    program,
  };
}

function isPort(text: string): boolean {
  return /^[1-9]\d{0,4}$/.test(text) && Number(text) <= 65_535;
}

function refuse(wanted: string, found: string, text: string | null): never {
  const isBare = text !== null && /^[\w.@-]+$/.test(text) && !text.startsWith('-');
  const instead = isBare ? `Write: ssh://${text}` : 'See: outlive --help';
  throw new OutliveError(
    'USAGE',
    `expected ${wanted} in --host or $OUTLIVE_HOST; found ${found}. ${instead}`,
  );
}
