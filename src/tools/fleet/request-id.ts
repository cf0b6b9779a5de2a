import type { ProcessIdentity } from '../../model/words.ts';
import { crypto, randomHex } from '../../util/crypto.ts';
import type { Asker, Start } from '../delivery/hearers.ts';

/*
 * The id of a request to start a task on a host says who started it, as the record of a local task does. So the right
 * client is told of the end, also by a server that was started since. It has at most 100 characters, so names are
 * hashed.
 */
const name = '([0-9a-f]{10}|-)';
const number = '([0-9a-z]+|-)';
const place = '([0-9a-f]{8})';
const form = new RegExp(
  `^mcp\\.${name}\\.${name}\\.${number}\\.${number}\\.${place}\\.${place}\\.${place}\\.${number}\\.`,
);

/**
 * A new id, for a task that this asker starts.
 * @param monoMs now, by the clock that all processes of a boot share.
 */
export function requestIdOf(asker: Asker, monoMs: number): string {
  const { party, caller, client } = hashedAsker(asker);
  const parts = [
    ...['mcp', party ?? '-', caller ?? '-', encoded(client.pid), encoded(client.start)],
    ...[...placesOf(client), encoded(Math.floor(monoMs))],
  ];
  return [...parts, randomHex(6)].join('.');
}

/** The id of the request for a task with a key. It is the same for every request with that key in that session. */
export function requestIdOfKey(session: string, key: string): string {
  return `key.${hashOf(JSON.stringify([session, key]), 64)}`;
}

/**
 * The client that started the task of a request; null if the id does not say so, as in requests of another program.
 * @param here an identity of this boot and pid namespace.
 */
export function startOfRequest(request: string, here: ProcessIdentity): Start | null {
  const [, party = '-', caller = '-', pid, start = '-', machine, boot, namespace, mono = ''] =
    form.exec(request) ?? [];
  if (pid === undefined) return null;
  const client = { pid: decoded(pid) ?? 0, start: decoded(start) };
  const [ownMachine, ownBoot, ownNamespace] = placesOf(here);
  const isSameNamespace = boot === ownBoot && namespace === ownNamespace;
  const by = {
    ...client,
    boot: boot === ownBoot ? here.boot : 'another',
    pidNamespace: isSameNamespace ? here.pidNamespace : 'another',
    // A process in a namespace that cannot be seen from here may live. So its identity must not name this host.
    host: machine === ownMachine && (isSameNamespace || boot !== ownBoot) ? here.host : '',
    machine: machine === ownMachine ? here.machine : 'another',
  };
  return {
    starter: { ...(party !== '-' && { party }), ...(caller !== '-' && { caller }), client },
    by,
    monoMs: decoded(mono) ?? 0,
  };
}

/** The caller, with names as in the ids of requests. */
export function hashedAsker<A extends Asker>(asker: A): A {
  const { party, caller } = asker;
  return {
    ...asker,
    party: party === null ? null : hashOf(party, 10),
    caller: caller === null ? null : hashOf(caller, 10),
  };
}

/** The machine, the boot and the pid namespace of a process. */
function placesOf({ machine, host, boot, pidNamespace }: ProcessIdentity): readonly string[] {
  return [machine ?? host, boot, pidNamespace].map((text) => hashOf(text, 8));
}

function encoded(value: number | null): string {
  return value === null ? '-' : value.toString(36);
}

function decoded(text: string): number | null {
  return text === '-' ? null : Number.parseInt(text, 36);
}

/** @param digits hexadecimal ones, at most 64. */
function hashOf(text: string, digits: number): string {
  return crypto().createHash('sha256').update(text).digest('hex').slice(0, digits);
}
