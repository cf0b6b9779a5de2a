import { openFleet } from '../../fleet/client/open-fleet.ts';
import type { RemoteHost } from '../../fleet/wire/operations.ts';
import { visible } from '../../util/visible.ts';
import { sleep } from '../../util/wait.ts';
import { exitStatus } from '../exit-status.ts';
import { untilInterrupted } from '../interrupt.ts';
import type { Io } from '../io.ts';
import { type Column, none, tableText } from '../present/table.ts';
import { jsonLine } from '../present/task.ts';
import { shownDuration } from '../present/values.ts';

const columns: readonly Column[] = [
  { heading: 'HOST' },
  { heading: 'STATE', rank: 6 },
  { heading: 'RUNNING', rank: 5 },
  { heading: 'WAITING', rank: 3 },
  { heading: 'LABELS', rank: 4, least: 10, mayBeEmpty: true },
  { heading: 'HEARD', rank: 2 },
  { heading: 'VERSION', rank: 1 },
];

const clear = '\x1b[H\x1b[2J';
const lookMs = 2_000;

/** The hosts of the fleet. */
export async function listHosts(io: Io): Promise<number> {
  await using fleet = await openFleet();
  const hosts = await fleet.hosts();
  await io.out(io.json ? hosts.map(jsonLine).join('') : listing(io, hosts));
  if (hosts.length === 0 && io.terminal && !io.json)
    io.note(`no host has joined the fleet. An admin invites one with: ${io.hint('fleet', 'invite')}`);
  return exitStatus.ok;
}

/** The same, again and again: on a terminal in place of what was shown before. */
export async function watchHosts(io: Io): Promise<number> {
  await using fleet = await openFleet();
  await untilInterrupted(async (interrupted) => {
    const aborted = new Promise<void>((resolve) => interrupted.addEventListener('abort', () => resolve()));
    while (!interrupted.aborted) {
      const hosts = await fleet.hosts();
      const text = io.json ? hosts.map(jsonLine).join('') : listing(io, hosts);
      await io.out(io.terminal && !io.json ? `${clear}${text}` : text);
      await Promise.race([aborted, sleep(lookMs)]);
    }
  });
  return exitStatus.ok;
}

function listing(io: Io, hosts: readonly RemoteHost[]): string {
  const rows = hosts.map((host) => [
    host.host,
    stateOf(host),
    `${host.running}/${host.slots}`,
    String(host.waiting),
    labelsOf(host),
    host.silentMs === null ? none : `${shownDuration(host.silentMs)} ago`,
    visible(host.version),
  ]);
  if (io.terminal) return tableText(columns, rows, io.columns);
  return rows.map((cells) => `${cells.join('\t')}\n`).join('');
}

function stateOf({ state, cordoned, draining, removed, refused }: RemoteHost): string {
  if (removed) return 'removed';
  if (refused !== null) return `refused: ${visible(refused)}`;
  const closed = draining ? ', draining' : cordoned ? ', cordoned' : '';
  return `${state}${closed}`;
}

function labelsOf({ labels }: RemoteHost): string {
  const words = Object.entries(labels).map(([key, value]) => (value === '' ? key : `${key}=${value}`));
  return words.length === 0 ? none : visible(words.join(','));
}
