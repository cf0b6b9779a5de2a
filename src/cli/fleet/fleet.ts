import { OutliveError, shown } from '../../errors/error.ts';
import { defaultFleetData, defaultFleetFolder, FleetFolder, fleetFiles } from '../../fleet/admin/folder.ts';
import { initFleet } from '../../fleet/admin/init.ts';
import { parseInvitation } from '../../fleet/admin/invitation.ts';
import { join } from '../../fleet/admin/join.ts';
import { addressText, parseAddress } from '../../fleet/bus/address.ts';
import { openFleet } from '../../fleet/client/open-fleet.ts';
import type { Invited, Role } from '../../fleet/wire/membership.ts';
import { isHostName } from '../../fleet/wire/names.ts';
import { exitStatus } from '../exit-status.ts';
import type { Io } from '../io.ts';
import { jsonLine } from '../present/task.ts';
import { shownDuration } from '../present/values.ts';
import { listHosts, watchHosts } from './hosts.ts';
import { runAgent, runServer } from './serve.ts';
import { installService, removeService } from './service.ts';

/** What `outlive fleet` does, with the options that each has beside --json. */
const actions = {
  init: ['listen', 'address'],
  server: ['nats', 'number', 'elsewhere'],
  invite: ['role', 'label', 'slots', 'expires'],
  join: ['name', 'fence', 'store', 'enrolOnly', 'service', 'remove'],
  hosts: ['watch'],
  cordon: ['undo'],
  drain: ['undo'],
  remove: [],
  forget: [],
} as const satisfies Readonly<Record<string, readonly string[]>>;

type Action = keyof typeof actions;

/** The names of all actions. */
export const actionNames = Object.keys(actions) as readonly Action[];

/** The options of all actions, as they were typed. */
export interface FleetOptions {
  readonly listen?: string;
  readonly address?: readonly string[];
  readonly nats?: string;
  readonly number?: '1' | '2' | '3';
  readonly elsewhere?: boolean;
  readonly role?: Role;
  readonly label?: Readonly<Record<string, string | null>>;
  readonly slots?: number;
  /** Milliseconds. */
  readonly expires?: number;
  readonly name?: string;
  readonly fence?: 'keep' | 'stop';
  readonly store?: string;
  readonly enrolOnly?: boolean;
  readonly service?: boolean;
  readonly remove?: boolean;
  readonly watch?: boolean;
  readonly undo?: boolean;
}

const dayMs = 86_400_000;

/** What the coordinator takes of an invitation. */
const mostSlots = 10_000;
const leastInvitationMs = 60_000;
const mostInvitationMs = 30 * dayMs;

/** Names and values of labels, which stand in lists with commas. */
const labelForm = /^[\w.-]{1,63}=[\w.-]{0,63}$/;

/** `outlive fleet`: makes a fleet, serves it, lets machines in, and looks after them. */
export async function fleet(io: Io, operands: readonly string[], options: FleetOptions): Promise<number> {
  const [action, ...words] = operands as readonly [Action, ...string[]];
  checkPlatform();
  checkOptions(action, options);
  const operand = operandOf(action, words);
  switch (action) {
    case 'init':
      return await init(io, options);
    case 'server':
      return await runServer(io, folder(), options);
    case 'invite':
      return await invite(io, options);
    case 'join':
      return await joinAndRun(io, operand, options);
    case 'hosts':
      return await (options.watch ? watchHosts(io) : listHosts(io));
    case 'cordon':
    case 'drain':
    case 'remove':
    case 'forget':
      return await changeHost(action, operand, options.undo !== true);
  }
}

function folder(): FleetFolder {
  return FleetFolder.open(defaultFleetFolder());
}

function checkPlatform(): void {
  if (process.platform !== 'win32') return;
  throw new OutliveError(
    'UNSUPPORTED_PLATFORM',
    'expected Linux or macOS for a fleet; found Windows. Use it from a machine with Linux.',
  );
}

function checkOptions(action: Action, options: FleetOptions): void {
  const has: readonly string[] = ['json', 'session', ...actions[action]];
  const unknown = Object.keys(options).filter(
    (name) => !has.includes(name) && options[name as keyof FleetOptions] !== undefined,
  );
  if (unknown.length === 0) return;
  throw new OutliveError(
    'USAGE',
    `expected options that outlive fleet ${action} has; found ${unknown.map((name) => `--${name}`).join(', ')}. See: outlive fleet --help`,
  );
}

/** The word after the action: an invitation, or a host. */
function operandOf(action: Action, words: readonly string[]): string | null {
  const takes =
    action === 'join'
      ? 'one invitation or none'
      : actions[action].length > 0 && !isOfHost(action)
        ? 'no word'
        : 'a host';
  const most = takes === 'no word' ? 0 : 1;
  const least = isOfHost(action) ? 1 : 0;
  if (words.length >= least && words.length <= most) return words[0] ?? null;
  throw new OutliveError(
    'USAGE',
    `expected ${takes} after ${action}; found ${words.length === 0 ? 'none' : shown(words.join(' '))}. See: outlive fleet --help`,
  );
}

function isOfHost(action: Action): boolean {
  return action === 'cordon' || action === 'drain' || action === 'remove' || action === 'forget';
}

async function init(io: Io, { listen, address }: FleetOptions): Promise<number> {
  const own = folder();
  const servers = (address ?? ['127.0.0.1:4222']).map(parseAddress);
  const listenHost = listen ?? (servers.every(({ isPlain }) => isPlain) ? '127.0.0.1' : '0.0.0.0');
  await initFleet(own, { servers, listenHost, dataFolder: defaultFleetData() });
  const places = servers.map(addressText);
  if (io.json) await io.out(jsonLine({ folder: own.path, servers: places }));
  else
    await io.out(
      `made a fleet in ${own.path}: its keys, its configuration, and you as its admin\nNext: ${io.hint('fleet', 'server')}\n`,
    );
  if (servers.length > 1)
    io.note(
      `copy ${own.path} to the other two machines, without ${fleetFiles.operator} and ${fleetFiles.client}. Run there: ${io.hint('fleet', 'server', '--number', '2')}, and with 3 on the last`,
    );
  return exitStatus.ok;
}

async function invite(io: Io, options: FleetOptions): Promise<number> {
  const { role, label, slots, expires } = options;
  if (role !== undefined && (label !== undefined || slots !== undefined))
    throw new OutliveError(
      'USAGE',
      'expected --role for somebody who uses the fleet, or --label and --slots for a host; found both. See: outlive fleet --help',
    );
  const labels = Object.fromEntries(Object.entries(label ?? {}).map(([key, value]) => [key, value ?? '']));
  for (const [key, value] of Object.entries(labels))
    if (!labelForm.test(`${key}=${value}`))
      throw new OutliveError(
        'USAGE',
        `expected a label of letters, digits, dots, hyphens and underscores; found ${shown(key)}. See: outlive fleet --help`,
      );
  checkInvited(options);
  const invited: Invited =
    role === undefined ? { kind: 'host', labels, slots: slots ?? null } : { kind: 'client', role };
  await using opened = await openFleet();
  const line = await opened.invite(invited, expires ?? dayMs);
  await io.out(io.json ? jsonLine({ invitation: line, invited }) : `${line}\n`);
  return exitStatus.ok;
}

/** Checked here, because a refusal of the coordinator names fields of a message, and not options. */
function checkInvited({ slots, expires }: FleetOptions): void {
  const wrong =
    slots !== undefined && (slots < 1 || slots > mostSlots)
      ? `--slots from 1 to ${mostSlots}; found ${slots}`
      : expires !== undefined && (expires < leastInvitationMs || expires > mostInvitationMs)
        ? `--expires from 1m to 30d; found ${shownDuration(expires)}`
        : null;
  if (wrong !== null) throw new OutliveError('USAGE', `expected ${wrong}. See: outlive fleet --help`);
}

async function joinAndRun(io: Io, invitation: string | null, options: FleetOptions): Promise<number> {
  if (options.service || options.remove) checkService(invitation, options);
  const own = folder();
  const run = options.service ? installService : runAgent;
  if (options.remove) return await removeService(io);
  if (invitation === null) {
    if (options.name !== undefined || options.enrolOnly)
      throw new OutliveError(
        'USAGE',
        'expected an invitation with --name and --enrol-only; found none. Get one: outlive fleet invite',
      );
    return await run(io, own, options);
  }
  if (options.name !== undefined && !isHostName(options.name))
    throw new OutliveError(
      'USAGE',
      `expected a name of small letters, digits and hyphens, with no hyphen at an end; found ${shown(options.name)}. See: outlive fleet --help`,
    );
  const joined = await join(own, invitation, options.name ?? null);
  if (joined.kind === 'client') {
    await io.out(io.json ? jsonLine({ role: joined.role }) : `joined the fleet as ${joined.role}\n`);
    return exitStatus.ok;
  }
  await io.out(io.json ? jsonLine({ host: joined.name }) : `joined the fleet as the host ${joined.name}\n`);
  return options.enrolOnly ? exitStatus.ok : await run(io, own, options);
}

/** Before an invitation is used up. */
function checkService(invitation: string | null, { service, remove, enrolOnly }: FleetOptions): void {
  const wrong =
    (!service && '--remove without --service') ||
    (remove && invitation !== null && '--remove with an invitation') ||
    (enrolOnly && '--service with --enrol-only') ||
    (invitation !== null && parseInvitation(invitation).kind === 'client' && '--service for a client');
  if (!wrong) return;
  throw new OutliveError(
    'USAGE',
    `expected --service for a host, or --service --remove alone; found ${wrong}. See: outlive fleet --help`,
  );
}

async function changeHost(
  action: 'cordon' | 'drain' | 'remove' | 'forget',
  host: string | null,
  on: boolean,
): Promise<number> {
  await using opened = await openFleet();
  const name = host ?? '';
  if (action === 'cordon' || action === 'drain') await opened[action](name, on);
  else await opened[action](name);
  return exitStatus.ok;
}
