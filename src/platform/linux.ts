import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import type { ProcessIdentity } from '../model/words.ts';
import { yieldToOthers } from '../util/wait.ts';
import { commandLineChars, cookieVariable, type Member, type ProcessView, type System } from './system.ts';

/** Processes looked at between two turns of the event loop. */
const batch = 64;

/** So many pids are worth a direct look each, which is cheaper than listing /proc. */
const directLooks = 64;

/** Linux: everything is in /proc. */
export const linux: System = {
  lookMs: 2,
  self: () => {
    own ??= readOwnIdentity();
    return own;
  },
  view,
  isSuspended,
  carries: environHas,
  members,
  membersQuickly,
  namespaceIsAlive,
};

let own: ProcessIdentity | undefined;

function readOwnIdentity(): ProcessIdentity {
  return {
    pid: process.pid,
    start: view(process.pid)?.start ?? null,
    boot: read('/proc/sys/kernel/random/boot_id')?.trim() ?? '',
    pidNamespace: readNamespace('self') ?? '',
    host: hostname(),
  };
}

/**
 * Fields of /proc/PID/stat behind the name, which may hold blanks and brackets: state, parent, group,
 * session and, as the 20th, the start time in clock ticks since boot.
 */
export function parseStat(text: string): ProcessView | null {
  const pid = Number.parseInt(text, 10);
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const state = fields[0];
  const start = Number(fields[19]);
  if (!Number.isInteger(pid) || state === undefined || !Number.isFinite(start)) return null;
  return {
    pid,
    parent: Number(fields[1]),
    group: Number(fields[2]),
    session: Number(fields[3]),
    start,
    zombie: state === 'Z' || state === 'X',
    suspended: state === 'T' || state === 't',
  };
}

function view(pid: number): ProcessView | null {
  const text = read(`/proc/${pid}/stat`);
  return text === null ? null : parseStat(text);
}

function isSuspended(shimPid: number): boolean {
  const children = read(`/proc/${shimPid}/task/${shimPid}/children`)?.trim().split(' ') ?? [];
  return [shimPid, ...children.map(Number)].some((pid) => pid > 0 && (view(pid)?.suspended ?? false));
}

async function members(cookie: string, group: number | null): Promise<Member[]> {
  const found: Member[] = [];
  let looked = 0;
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) continue;
    const member = asMember(pid, cookie, group);
    if (member !== null) found.push(member);
    looked += 1;
    if (looked % batch === 0) await yieldToOthers();
  }
  return found;
}

/**
 * The kernel hands out pids in order, so whatever descends from the shim has a pid behind the shim's and up
 * to the last one given (in /proc/loadavg). For a short task these are a handful.
 */
function membersQuickly(cookie: string, group: number, strangers: ReadonlySet<number>): Member[] | null {
  const last = lastPid();
  if (last === null || last < group || last - group > directLooks) return null;
  const found: Member[] = [];
  for (let pid = group; pid <= last; pid += 1) {
    // Most are gone, and asking first spares an exception for each.
    if (strangers.has(pid) || !existsSync(`/proc/${pid}`)) continue;
    const member = asMember(pid, cookie, group, strangers);
    if (member !== null) found.push(member);
  }
  return found;
}

function lastPid(): number | null {
  const last = Number(read('/proc/loadavg')?.trim().split(' ').at(-1));
  return Number.isInteger(last) && last > 0 ? last : null;
}

function asMember(
  pid: number,
  cookie: string,
  group: number | null,
  strangers?: ReadonlySet<number>,
): Member | null {
  const seen = view(pid);
  // Nobody can enter the session of another task's shim.
  if (seen === null || seen.zombie || pid === process.pid || strangers?.has(seen.session)) return null;
  const hasCookie = environHas(pid, cookie);
  if (!hasCookie && seen.group !== group) return null;
  return { ...seen, hasCookie, command: commandLine(pid) };
}

function environHas(pid: number, cookie: string): boolean {
  const environ = read(`/proc/${pid}/environ`, 'latin1');
  if (environ === null) return false;
  const entry = `${cookieVariable}=${cookie}\0`;
  return environ.startsWith(entry) || environ.includes(`\0${entry}`);
}

function commandLine(pid: number): string {
  const line = read(`/proc/${pid}/cmdline`)?.replaceAll('\0', ' ').trim();
  if (line) return line.slice(0, commandLineChars);
  const name = read(`/proc/${pid}/comm`)?.trim();
  return name ? `[${name}]` : '';
}

/**
 * A namespace that some visible process is in is alive. The first namespace of the machine has a fixed
 * number and lives as long as the machine does, seen or not.
 */
function namespaceIsAlive(namespace: string): boolean {
  if (namespace === initialNamespace) return true;
  for (const entry of readdirSync('/proc')) {
    if (/^\d+$/.test(entry) && readNamespace(entry) === namespace) return true;
  }
  return false;
}

/** PROC_PID_INIT_INO of the kernel. */
const initialNamespace = `pid:[${0xeffffffc}]`;

function readNamespace(pid: string): string | null {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return null;
  }
}

function read(path: string, encoding: 'utf8' | 'latin1' = 'utf8'): string | null {
  try {
    return readFileSync(path, encoding);
  } catch {
    // Gone meanwhile, or another user's: no information.
    return null;
  }
}
